"""Pages of the shelf, filters and versions."""

from __future__ import annotations

import pytest

from kernel.db import Database
from operations.errors import Invalid, NotFound
from playbooks.shelf import service as shelf
from playbooks.shelf.schema import ShelfFilter
from tests.playbooks.documents import document, octets, uuid
from tests.playbooks.shelf.people import DUTY, RESPONDER


def _id(number: int) -> str:
    return f"playbook--{uuid(number)}"


@pytest.fixture
def shelved(database: Database) -> Database:
    with database.write() as session:
        for number in range(1, 26):
            body = octets(document(id=_id(number), name=f"名 {number % 5}", labels=["偶" if number % 2 == 0 else "奇_%"]))
            shelf.save(session, RESPONDER, body)
        shelf.release(session, DUTY, _id(1), 1, None)
        shelf.release(session, DUTY, _id(2), 1, None)
        shelf.set_enabled(session, DUTY, _id(2), False, None)
    return database


def test_pages_by_name_meet_each_playbook_once(shelved: Database) -> None:
    met, cursor, pages = [], "", 0
    with shelved.read() as session:
        while True:
            page = shelf.listing(session, after=cursor, limit=4)
            met += [(one.name, one.playbook_id) for one in page.playbooks]
            cursor, pages = page.cursor, pages + 1
            if not cursor:
                break
    assert (len(met), pages) == (25, 7)
    assert met == sorted(set(met))


@pytest.mark.parametrize(
    ("where", "number"),
    [
        (ShelfFilter(text="名 3"), 5),
        (ShelfFilter(text="%"), 0),
        (ShelfFilter(label="奇_%"), 13),
        (ShelfFilter(label="奇"), 0),
        (ShelfFilter(origin="own", label="偶"), 12),
        (ShelfFilter(origin="library"), 0),
        (ShelfFilter(state="released"), 1),
        (ShelfFilter(state="draft"), 23),
        (ShelfFilter(state="disabled"), 1),
    ],
)
def test_filters(shelved: Database, where: ShelfFilter, number: int) -> None:
    with shelved.read() as session:
        assert len(shelf.listing(session, where, limit=100).playbooks) == number


def test_labels_are_counted(shelved: Database) -> None:
    with shelved.read() as session:
        assert shelf.labels(session) == {"奇_%": 13, "偶": 12}


@pytest.mark.parametrize("cursor", ["~", "x" * 200, "'; DROP TABLE playbooks --", "a~" + "b" * 2_000])
def test_cursors_that_are_none(shelved: Database, cursor: str) -> None:
    with shelved.read() as session, pytest.raises(Invalid) as refused:
        shelf.listing(session, after=cursor)
    assert refused.value.field == "cursor"


def test_a_filter_that_cannot_be_met_is_refused(shelved: Database) -> None:
    with shelved.read() as session:
        with pytest.raises(Invalid):
            shelf.listing(session, ShelfFilter(origin="elsewhere"))
        with pytest.raises(Invalid):
            shelf.listing(session, ShelfFilter(state="asleep"))


def test_versions_newest_first_and_each_document(shelved: Database) -> None:
    with shelved.write() as session:
        for number in range(1, 6):
            shelf.save(session, RESPONDER, octets(document(id=_id(1), name=f"版 {number}")), base=number)
    with shelved.read() as session:
        page = shelf.versions(session, _id(1), limit=4)
        rest = shelf.versions(session, _id(1), after=page.cursor)
        assert [one.number for one in (*page.versions, *rest.versions)] == [6, 5, 4, 3, 2, 1]
        assert rest.cursor == ""
        assert shelf.version(session, _id(1)).number == 1  # the one in force
        assert shelf.document(session, _id(3)) == shelf.document(session, _id(3), 1)
        name, body = shelf.export(session, _id(1), 6)
        assert (name, body) == (f"{_id(1)}-v6.json", octets(document(id=_id(1), name="版 5")))


def test_what_is_not_there(shelved: Database) -> None:
    with shelved.read() as session:
        for call in (shelf.get, shelf.versions, shelf.version, shelf.document, shelf.export):
            with pytest.raises(NotFound):
                call(session, _id(999))
        with pytest.raises(NotFound):
            shelf.document(session, _id(1), 2)
        with pytest.raises(Invalid):
            shelf.versions(session, _id(1), after="-1")
