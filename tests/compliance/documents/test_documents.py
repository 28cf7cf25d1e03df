"""A management document from its draft to its end."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from compliance.documents import covering, editions, readers, service
from compliance.documents.media import MOST_BYTES, media_of
from compliance.documents.models import EditionRow
from compliance.documents.reminding import remind
from compliance.documents.schema import DocumentDetail, DocumentDraft, DocumentFilter, DocumentRecord, EditionDraft, Reader
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.tickets import service as tickets
from tests.compliance.assessment.small_system import PASSWORDS, SmallSystem
from tests.operations.organisations_city import TRAFFIC, WATER

KEY = MasterKey(b"0123456789abcdef")
POLICY, REVIEW = "8.1.6.1", "8.1.6.2.a"
PDF = b"%PDF-1.7\n1 0 obj\n" + b"x" * 500
LATER = (date.today() + timedelta(days=365)).isoformat()


def management_items(small: SmallSystem) -> list[str]:
    with small.database.read() as session:
        return [one.item for one in covering.coverage(session, small.id)]


def make(small: SmallSystem, items: tuple[str, ...] = (), organisation: str = WATER) -> DocumentRecord:
    draft = DocumentDraft("policy", "网络安全管理制度", "water", organisation, items=items)
    with small.database.write() as session:
        return service.create_document(session, small.who, draft)


def add(small: SmallSystem, document: int, content: bytes = PDF, name: str = "制度.pdf") -> int:
    with small.database.write() as session:
        return editions.add_edition(session, KEY, small.who, document, EditionDraft("V1.0", name, "首版"), content).number


def act(small: SmallSystem, document: int, number: int, what: str, who: str = "planner", **more: str) -> DocumentDetail:
    principal, database = small.city.as_(who)
    with database.write() as session:
        return editions.act(session, principal, document, number, what, **more)  # type: ignore[arg-type]


def enforce(small: SmallSystem, document: int, number: int, review_on: str = LATER) -> DocumentDetail:
    act(small, document, number, "approve", "planner.two")
    return act(small, document, number, "enforce", review_on=review_on)


def test_the_way_of_an_edition(small: SmallSystem) -> None:
    document = make(small)
    assert document.state == ""
    assert add(small, document.id) == 1
    with pytest.raises(Denied):
        act(small, document.id, 1, "approve")
    with pytest.raises(Conflict):
        act(small, document.id, 1, "enforce", review_on=LATER)
    approved = act(small, document.id, 1, "approve", "planner.two")
    assert (approved.document.state, approved.document.in_force) == ("approved", 0)
    with pytest.raises(Invalid, match="day to come"):
        act(small, document.id, 1, "enforce", review_on="2020-01-01")
    held = act(small, document.id, 1, "enforce", review_on=LATER)
    assert (held.document.state, held.document.in_force, held.document.review_on) == ("in_force", 1, LATER)
    assert act(small, document.id, 1, "review").document.in_force == 1, "it holds while it is reviewed"
    assert act(small, document.id, 1, "confirm", review_on=LATER).document.state == "in_force"
    add(small, document.id)
    assert enforce(small, document.id, 2).document.in_force == 2
    with small.database.read() as session:
        shown = service.get_document(session, document.id)
    assert [(one.number, one.state) for one in shown.editions] == [(2, "in_force"), (1, "withdrawn")]
    with pytest.raises(Invalid):
        act(small, document.id, 2, "withdraw")
    ended = act(small, document.id, 2, "withdraw", note="废止")
    assert (ended.document.in_force, ended.document.state) == (0, "withdrawn")
    with small.database.read() as session:
        acts = select(AuditEntry.action).where(AuditEntry.object_type == "document").order_by(AuditEntry.id)
        assert list(session.execute(acts).scalars())[:4] == [
            "document.create",
            "document.edition",
            "document.approve",
            "document.enforce",
        ]


def test_a_stale_change_is_refused(small: SmallSystem) -> None:
    document = make(small)
    add(small, document.id)
    draft = DocumentDraft("policy", "另一标题", "water", WATER, items=(PASSWORDS,))
    with pytest.raises(Stale), small.database.write() as session:
        service.change_document(session, small.who, document.id, draft, expected_version=document.version)
    with small.database.write() as session:
        changed = service.change_document(session, small.who, document.id, draft, expected_version=document.version + 1)
    assert (changed.title, changed.items) == ("另一标题", [PASSWORDS])
    wrong = DocumentDraft("policy", "x", "y", WATER, items=("8.1.99",))
    with pytest.raises(Invalid, match="no item"), small.database.write() as session:
        service.change_document(session, small.who, document.id, wrong, expected_version=None)


def test_the_file_is_sealed_and_comes_back(small: SmallSystem) -> None:
    document = make(small)
    add(small, document.id)
    with small.database.write() as session:
        row = session.execute(select(EditionRow)).scalar_one()
        assert PDF[:40] not in row.package
        assert (row.sm3, row.size, row.media) == (sm3(PDF).hex(), len(PDF), "pdf")
        assert editions.verify(session, document.id, 1) == ""
        edition, content = editions.open_file(session, KEY, small.who, document.id, 1)
        assert (edition.file_name, content) == ("制度.pdf", PDF)
        package = bytearray(row.package)
        package[-40] ^= 1
        row.package = bytes(package)
        session.flush()
        assert editions.verify(session, document.id, 1)
        with pytest.raises(Conflict, match="does not open"):
            editions.open_file(session, KEY, small.who, document.id, 1)


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for name in names:
            opened.writestr(name, "x")
    return made.getvalue()


def test_kinds_of_files_by_their_bytes() -> None:
    assert media_of(PDF) == "pdf"
    assert media_of(archive("[Content_Types].xml", "word/document.xml")) == "docx"
    assert media_of(archive("OFD.xml", "Doc_0/Document.xml")) == "ofd"
    assert media_of("值班记录\n".encode()) == "txt"
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as opened:
        for number in range(10_001):
            opened.writestr(str(number), b"")
    refused = (
        b"", b"MZ\x90\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, archive("evil.exe"), b"PK\x03\x04cut off",
        archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), many.getvalue(), b"a" * (MOST_BYTES + 1),
    )  # fmt: skip
    for content in refused:
        with pytest.raises(Invalid):
            media_of(content)


def test_names_that_are_no_file_names(small: SmallSystem) -> None:
    document = make(small)
    for name in ("../x.pdf", "a\\b.pdf", "..", ""):
        with pytest.raises(Invalid):
            add(small, document.id, name=name)


def test_each_person_says_that_it_was_read(small: SmallSystem) -> None:
    document = make(small)
    add(small, document.id)
    who, database = small.city.as_("water")
    with pytest.raises(Conflict), database.write() as session:
        readers.acknowledge(session, who, document.id, 1)
    enforce(small, document.id, 1)
    for _ in range(2):
        with database.write() as session:
            readers.acknowledge(session, who, document.id, 1)
    with database.read() as session:
        told = readers.readers(session, document.id, 1)
    assert told[0].name == "water"
    assert told[0].at
    assert told[1:] == [Reader("water.two")]
    add(small, document.id)
    enforce(small, document.id, 2)
    with database.read() as session:
        assert [one.at for one in readers.readers(session, document.id, 2)] == ["", ""], "another edition is to be read anew"


def test_reminders_before_and_after_once_each(small: SmallSystem) -> None:
    document = make(small)
    add(small, document.id)
    day = date.today() + timedelta(days=40)
    enforce(small, document.id, 1, day.isoformat())
    assert remind(small.database) == 0
    for today, sent in ((day - timedelta(days=30), 1), (day, 0), (day + timedelta(days=1), 1), (day + timedelta(days=9), 0)):
        assert remind(small.database, today) == sent
    with small.database.read() as session:
        told = tickets.list_tickets(session).tickets
    assert [(one.kind, one.bureau, one.assignee) for one in told] == [("notification", WATER, "water")] * 2


def test_what_has_no_document_in_force(small: SmallSystem) -> None:
    items = management_items(small)
    assert all(item.startswith(("8.1.6", "8.1.7", "8.1.8", "8.1.9", "8.1.10")) for item in items)
    assert len(items) == 7 + 14 + 12 + 34 + 48
    document = make(small, tuple(items[:2]))
    make(small, tuple(items[2:3]), TRAFFIC)
    add(small, document.id)
    with small.database.read() as session:
        assert all(one.lacking for one in covering.coverage(session, small.id))
        with pytest.raises(Conflict):
            covering.cite(session, document.id)
    enforce(small, document.id, 1)
    with small.database.read() as session:
        found = covering.coverage(session, small.id)
        assert [one.item for one in found if not one.lacking] == items[:2]
        reference = covering.cite(session, document.id)
        told = covering.cited(session, reference)
        assert told is not None
        assert (told.document, told.edition, told.holds) == (document.id, 1, True)
        assert covering.cited(session, "e" * 64) is None
        with pytest.raises(Invalid):
            covering.cited(session, reference[:-4] + "0000")
    small.person("met", items[0], 0, evidence=reference)
    act(small, document.id, 1, "withdraw", note="废止")
    with small.database.read() as session:
        told = covering.cited(session, reference)
    assert told is not None
    assert not told.holds


def test_a_bureau_sees_its_own(small: SmallSystem) -> None:
    document = make(small)
    add(small, document.id)
    other, database = small.city.as_("traffic")
    with database.read() as session:
        assert service.list_documents(session).documents == []
        for look in (service.get_document, covering.cite):
            with pytest.raises(NotFound):
                look(session, document.id)
    with pytest.raises(NotFound), database.write() as session:
        editions.open_file(session, KEY, other, document.id, 1)
    with pytest.raises(NotFound), database.write() as session:
        editions.act(session, other, document.id, 1, "approve")
    with pytest.raises(Denied), database.write() as session:
        service.create_document(session, other, DocumentDraft("policy", "a", "b", WATER))
    with small.database.read() as session:
        for where, number in (
            (DocumentFilter(organisation=WATER), 1),
            (DocumentFilter(in_force=True), 0),
            (DocumentFilter(text="网络"), 1),
            (DocumentFilter(item=POLICY), 0),
        ):
            assert len(service.list_documents(session, where).documents) == number


def test_titles_with_capital_letters_of_any_alphabet_are_found(small: SmallSystem) -> None:
    with small.database.write() as session:
        made = service.create_document(session, small.who, DocumentDraft("policy", "ＳＣＡＤＡ Übersicht", "water", WATER))
    with small.database.read() as session:
        for text in ("ＳＣＡＤＡ", "Übersicht", "ÜBERSICHT"[1:]):
            assert [one.id for one in service.list_documents(session, DocumentFilter(text=text)).documents] == [made.id]
