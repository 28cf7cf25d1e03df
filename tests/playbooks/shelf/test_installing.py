"""The shipped library comes onto the shelf, and its updates, without undoing what people decided."""

from __future__ import annotations

import msgspec
import pytest

from kernel.db import Database
from playbooks.library import load
from playbooks.model import Playbook
from playbooks.reading import read_document
from playbooks.shelf import service as shelf
from playbooks.shelf.schema import Shelved
from tests.playbooks.documents import octets
from tests.playbooks.shelf.people import DUTY, RESPONDER


def newer(playbook: Playbook, name: str) -> Playbook:
    return read_document({**playbook.raw, "name": name, "modified": "2027-01-01T00:00:00.000Z"})


@pytest.fixture
def first(database: Database) -> Playbook:
    """A block that others call, installed with the whole library."""
    with database.write() as session:
        shelf.install_library(session)
    return next(one for one in load() if one.name == "封禁网络地址")


def _get(database: Database, playbook: Playbook) -> Shelved:
    with database.read() as session:
        return shelf.get(session, playbook.id)


def _install(database: Database, changed: Playbook) -> None:
    shipped = [changed if one.id == changed.id else one for one in load()]
    with database.write() as session:
        assert shelf.install_library(session, shipped).newer == [changed.id]


def test_all_are_in_force_at_once_and_installing_again_does_nothing(database: Database) -> None:
    with database.write() as session:
        assert len(shelf.install_library(session).new) == len(load())
    with database.write() as session:
        again = shelf.install_library(session)
        found = shelf.startable(session)
    assert (again.new, again.newer) == ([], [])
    assert {one.playbook_id for one in found} == {one.id for one in load()}
    assert all(one.origin == "library" and one.released == 1 for one in found)
    assert {one.named("en") for one in found} >= {"Block an address", "Ransomware"}


def test_a_newer_one_follows_where_the_shipped_one_was_in_force(database: Database, first: Playbook) -> None:
    _install(database, newer(first, "封禁网络地址（新）"))
    found = _get(database, first)
    assert (found.released, found.newest, found.name) == (2, 2, "封禁网络地址（新）")


def test_a_newer_one_does_not_replace_one_of_the_city(database: Database, first: Playbook) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets({**first.raw, "name": "本市版"}), base=1)
        shelf.release(session, DUTY, first.id, 2, None)
    _install(database, newer(first, "新"))
    found = _get(database, first)
    assert (found.released, found.newest, found.name) == (2, 3, "本市版")


def test_who_went_back_to_an_older_one_stays_there(database: Database, first: Playbook) -> None:
    _install(database, newer(first, "新"))
    with database.write() as session:
        shelf.release(session, DUTY, first.id, 1, None)
    _install(database, newer(first, "更新"))
    assert _get(database, first).released == 1


def test_a_playbook_that_was_switched_off_stays_off(database: Database, first: Playbook) -> None:
    with database.write() as session:
        shelf.set_enabled(session, RESPONDER, first.id, False, None)
    _install(database, newer(first, "新"))
    found = _get(database, first)
    assert (found.enabled, found.released) == (False, 2)


def test_one_that_does_not_run_is_kept_but_not_in_force(database: Database, first: Playbook) -> None:
    raw = msgspec.json.decode(msgspec.json.encode(first.raw))
    raw["workflow_start"] = "start--00000001-0000-4000-8000-00000000dead"
    _install(database, read_document(raw))
    found = _get(database, first)
    assert (found.released, found.newest) == (1, 2)
