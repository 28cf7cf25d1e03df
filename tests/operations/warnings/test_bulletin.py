"""The bulletin as a document: read back from the files by independent readers."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docx as python_docx
import pypdf
import pytest

from kernel.db import Database
from operations.documents import docx, pdf
from operations.errors import NotFound
from operations.warnings import bulletin, service
from operations.warnings.schema import WarningRecord
from tests.operations.warnings.conftest import DRAFT, DUTY, TRAFFIC, WATER, WRITER, Clock, seen_by

CONTENTS = ("事件性质", "威胁方式", "影响范围", "涉及对象", "影响程度", "防范对策")


def words(file: bytes) -> str:
    read = python_docx.Document(io.BytesIO(file))
    cells = [cell.text for table in read.tables for row in table.rows for cell in row.cells]
    heads = [paragraph.text for section in read.sections for paragraph in (*section.header.paragraphs, *section.footer.paragraphs)]
    return "\n".join([*heads, *(paragraph.text for paragraph in read.paragraphs), *cells])


def test_it_says_what_the_standard_asks_for_and_until_when(published: WarningRecord, city: Database) -> None:
    with city.read() as session:
        name, made = bulletin.read(session, 1, issuer="兰亭市网安办")
    assert name == "warning-2026-001-1"
    told = words(docx(made))
    for text in (
        *CONTENTS,
        DRAFT.title,
        "〔2026〕第 1 号",
        "橙色（Ⅱ级）",
        "交通局、水务局",
        "水务控制网",
        "2026-11-26 14:00",
        "兰亭市网安办",
    ):
        assert text in told, text
    assert "草稿" not in told
    file = pdf(made)
    assert file.startswith(b"%PDF")
    page = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages).replace("\n", "").replace(" ", "")
    for text in (*CONTENTS, "橙色（Ⅱ级）"):
        assert text in page, text


def test_a_draft_is_marked_and_has_no_number(city: Database) -> None:
    with city.write() as session:
        service.create(session, WRITER, DRAFT)
        name, made = bulletin.read(session, 1, issuer="")
        english = bulletin.read(session, 1, issuer="", language="en")[1]
    assert name == "warning-draft-1"
    assert made.marking == "草稿"
    assert english.marking == "DRAFT"
    assert "Orange (II)" in words(docx(english))


def test_lifted_it_says_why(published: WarningRecord, city: Database, act: Callable[..., Any], time: Clock) -> None:
    time.move(hours=30)
    act(service.lift, DUTY, 1, expected_version=None, note="样本已清除")
    with city.read() as session:
        told = words(docx(bulletin.read(session, 1, issuer="")[1]))
    for text in ("解除", "样本已清除", "2026-11-27 18:00"):
        assert text in told
    assert "签收时限" not in told


def test_each_receiver_gets_its_own(published: WarningRecord, city: Database) -> None:
    with seen_by(city, TRAFFIC).read() as session:
        told = words(docx(bulletin.read(session, 1, issuer="")[1]))
    assert "交通局" in told
    assert "水务" not in told.replace(DRAFT.extent, "")
    with city.write() as session:
        service.create(session, WRITER, DRAFT)
    with seen_by(city, WATER).read() as session, pytest.raises(NotFound):
        bulletin.read(session, 2, issuer="")
