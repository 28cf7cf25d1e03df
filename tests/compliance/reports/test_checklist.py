"""The check-list: out, filled in by hand, compared, taken in; and workbooks that want something else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from compliance.assessment.reading import history, verdict_of
from compliance.reports.checklist import compare, read, take_in, write
from compliance.reports.material import gather
from compliance.systems.applicability import decide
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Invalid
from tests.compliance.assessment.small_system import PASSWORDS, ROOM_DOOR, TWO_FACTORS, SmallSystem
from tests.compliance.reports.conftest import HOSTILE

Fill = Callable[[Any], None]


def exported(small: SmallSystem, language: str = "zh") -> bytes:
    with small.database.read() as session:
        return write(gather(session, small.id), language)


def filled(octets: bytes, fill: Fill) -> bytes:
    """As somebody with a spreadsheet does it."""
    book = load_workbook(io.BytesIO(octets))
    fill(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def line_of(sheet: Any, item: str, object_id: int) -> int:
    return next(row[0].row for row in sheet.iter_rows(min_row=2) if (row[0].value, row[5].value) == (item, object_id))


def says(
    small: SmallSystem, item: str, object_id: int, verdict: str | None, reason: str | None = "看过", evidence: str = ""
) -> Fill:
    def fill(sheet: Any) -> None:
        line = line_of(sheet, item, object_id)
        sheet.cell(line, 9).value, sheet.cell(line, 10).value, sheet.cell(line, 11).value = verdict, reason, evidence

    return fill


def plan_of(small: SmallSystem, octets: bytes) -> Any:
    with small.database.read() as session:
        return compare(read(octets), gather(session, small.id))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_untouched_it_changes_nothing_and_holds_no_formula(small: SmallSystem, language: str) -> None:
    octets = filled(exported(small, language), lambda sheet: None)
    plan = plan_of(small, octets)
    assert (plan.changes, plan.troubles, plan.same) == ((), (), 0)
    sheet = load_workbook(io.BytesIO(exported(small, language))).worksheets[0]
    assert plan.untouched == sheet.max_row - 1 > 211
    reason = sheet.cell(line_of(sheet, PASSWORDS, small.other), 10)
    assert (reason.value, reason.data_type, reason.quotePrefix) == (HOSTILE, "s", True)
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("word", ["符合", "met"])
def test_filled_in_compared_and_taken_in_as_a_persons_word(small: SmallSystem, word: str) -> None:
    octets = filled(exported(small), says(small, PASSWORDS, small.other, word, "已整改", "E-7"))
    plan = plan_of(small, octets)
    assert [(one.object, one.before, one.after) for one in plan.changes] == [("h2", "not_met", "met")]
    with small.database.read() as session:
        assert verdict_of(session, small.id, PASSWORDS, small.other).verdict == "not_met"  # compared only
    with small.database.write() as session:
        assert take_in(session, small.who, small.id, read(octets)) == plan
    with small.database.read() as session:
        now = verdict_of(session, small.id, PASSWORDS, small.other)
        assert (now.verdict, now.source, now.by, now.reason, now.evidence) == ("met", "person", "planner", "已整改", "E-7")
        assert history(session, small.id, PASSWORDS, small.other)[0].by == "planner"
        act = session.execute(select(AuditEntry).where(AuditEntry.action == "checklist.import")).scalars().one()
        assert '"changes":1' in act.detail
    again = plan_of(small, octets)
    assert (again.changes, again.troubles, again.same) == ((), (), 1)  # taken in twice: nothing new


def test_what_somebody_else_changed_is_not_overwritten(small: SmallSystem) -> None:
    octets = filled(exported(small), says(small, TWO_FACTORS, small.host, "met"))
    small.person("partly", TWO_FACTORS)
    small.person("met", ROOM_DOOR, small.room)  # changed, but its row was not touched
    plan = plan_of(small, octets)
    assert [(one.kind, one.item) for one in plan.troubles] == [("changed_since", TWO_FACTORS)]
    with pytest.raises(Conflict, match="line"), small.database.write() as session:
        take_in(session, small.who, small.id, read(octets))
    with small.database.read() as session:
        assert verdict_of(session, small.id, TWO_FACTORS, small.host).verdict == "partly"


@pytest.mark.parametrize(
    ("verdict", "reason", "kind"),
    [("大致符合", "x", "verdict"), ("met", "", "reason"), (None, "x", "emptied"), ("=1+1", "x", "unreadable"),
     ("met", "=A1", "unreadable")],
)  # fmt: skip
def test_rows_that_are_wrong(small: SmallSystem, verdict: str | None, reason: str, kind: str) -> None:
    octets = filled(exported(small), says(small, PASSWORDS, small.host, verdict, reason))
    plan = plan_of(small, octets)
    assert ([one.kind for one in plan.troubles], plan.changes) == ([kind], ())
    with pytest.raises(Invalid, match="cannot be taken in"), small.database.write() as session:
        take_in(session, small.who, small.id, read(octets))


def test_unknown_and_doubled_rows_and_decided_pairs(small: SmallSystem) -> None:
    with small.database.write() as session:
        decide(session, small.who, small.id, PASSWORDS, False, "没有口令", object_id=small.base)

    def fill(sheet: Any) -> None:
        row = [cell.value for cell in sheet[line_of(sheet, PASSWORDS, small.host)]]
        sheet.append(row)
        sheet.append(["9.9.9.9", *row[1:]])
        sheet.append([row[0], *row[1:5], 99_999, *row[6:]])
        says(small, PASSWORDS, small.base, "met")(sheet)

    plan = plan_of(small, filled(exported(small), fill))
    assert [one.kind for one in plan.troubles] == ["decided", "twice", "unknown", "unknown"]


def test_columns_may_be_moved_but_not_missing(small: SmallSystem) -> None:
    octets = exported(small)
    moved = filled(octets, lambda sheet: sheet.insert_cols(1))
    assert plan_of(small, moved).troubles == ()
    with pytest.raises(Invalid, match="columns are missing: 条款"):
        read(filled(octets, lambda sheet: sheet.delete_cols(1)))


def test_the_check_list_of_another_system_is_refused(small: SmallSystem) -> None:
    sheet = read(exported(small))
    with small.database.read() as session, pytest.raises(Invalid, match="another system"):
        compare(type(sheet)("9:2020", "", sheet.rows), gather(session, small.id))


def _with(octets: bytes, name: str, content: bytes, drop: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(octets)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != (drop or name):
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def test_hostile_workbooks_are_refused(small: SmallSystem) -> None:
    octets = exported(small)
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><sst>&b;</sst>'
    rels = b'<Relationships><Relationship Id="1" Type="x" Target="http://192.0.2.1/x" TargetMode="External"/></Relationships>'
    for made, why in (
        (b"", "no workbook"),
        (b"PK\x03\x04" + b"\0" * 400, "no workbook"),
        (b"\0" * (33 << 20), "octets"),
        (_with(octets, "xl/bomb.xml", b"\0" * (200 << 20)), "larger inside"),
        (_with(octets, "xl/vbaProject.bin", b"x"), "no macros|vbaProject"),
        (_with(octets, "xl/externalLinks/externalLink1.xml", b"<x/>"), "externalLinks"),
        (_with(octets, "xl/sharedStrings.xml", laughs), "document type"),
        (_with(octets, "xl/sharedStrings.xml", laughs.decode().encode("utf-16")), "not UTF-8"),
        (_with(octets, "xl/worksheets/_rels/sheet1.xml.rels", rels), "outside"),
        (_with(octets, "xl/workbook.xml", b"<workbook/>"), "cannot be read|missing"),
        (_with(octets, "xl/worksheets/sheet2.xml", b"<worksheet><sheetData/></worksheet>"), "no check-list"),
    ):
        with pytest.raises(Invalid, match=why):
            read(made)


def test_a_cell_far_out_costs_nothing(small: SmallSystem) -> None:
    def fill(sheet: Any) -> None:
        sheet.cell(1_048_576, 16_384).value = "x"

    with small.database.read() as session:
        assert compare(read(filled(exported(small), fill)), gather(session, small.id)).troubles == ()
