"""Saving versions: what is kept, what is refused, and what two people do at the same time."""

from __future__ import annotations

import json

import pytest

from kernel.db import Database
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.problems import PlaybookError
from playbooks.reading import read
from playbooks.run.models import PlaybookDocument
from playbooks.shelf import service as shelf
from tests.playbooks.documents import AGENT, FIRST, LOGIN, document, octets, uuid
from tests.playbooks.shelf.people import ANALYST, BUREAU, RESPONDER, SCOPED, SECADMIN
from tests.playbooks.shelf.test_releasing import calling

ID = f"playbook--{uuid(100)}"


def test_a_document_is_kept_octet_for_octet_and_nothing_comes_into_force(database: Database) -> None:
    body = octets(document()) + b"\n"
    with database.write() as session:
        version = shelf.save(session, RESPONDER, body, note="  第一版 ")
    assert (version.number, version.runnable, version.note, version.created_by) == (1, True, "第一版", "wang-responder")
    with database.read() as session:
        assert shelf.document(session, ID) == body
        found = shelf.get(session, ID)
        assert (found.name, found.released, found.newest, found.origin, found.startable) == ("封禁攻击地址", None, 1, "own", False)
        (entry,) = audit.listing(session, action="playbook.save").entries
    assert (entry.actor, entry.object_id, entry.detail["number"]) == ("wang-responder", ID, 1)


def test_the_same_document_again_is_the_same_version(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
        again = shelf.save(session, RESPONDER, octets(document()), base=1)
    assert again.number == 1


def test_a_version_is_made_from_the_newest_one(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
        second = shelf.save(session, RESPONDER, octets(document(name="二")), base=1)
    assert second.number == 2
    for base in (None, 1, 3):
        with pytest.raises(Conflict, match="version 2"), database.write() as session:
            shelf.save(session, RESPONDER, octets(document(name="三")), base=base)
    with pytest.raises(Conflict, match="not on the shelf"), database.write() as session:
        shelf.save(session, RESPONDER, octets(document(id=f"playbook--{uuid(7)}")), base=1)


def test_what_cannot_run_is_kept_as_a_draft_only(database: Database) -> None:
    broken = document()
    broken["workflow"][FIRST]["on_completion"] = f"end--{uuid(999)}"
    with pytest.raises(PlaybookError) as refused, database.write() as session:
        shelf.save(session, RESPONDER, octets(broken))
    assert any(FIRST in problem.path for problem in refused.value.problems)
    with database.write() as session:
        version = shelf.save(session, RESPONDER, octets(broken), draft=True)
    assert not version.runnable
    assert version.problems == refused.value.problems


@pytest.mark.parametrize("draft", [False, True])
def test_a_secret_in_plain_is_not_even_kept_as_a_draft(database: Database, draft: bool) -> None:
    plain = document()
    plain["authentication_info_definitions"][LOGIN] = {"type": "http-basic", "user_id": "liandun", "password": "Zx9-geheim"}
    with pytest.raises(PlaybookError, match="plain"), database.write() as session:
        shelf.save(session, RESPONDER, octets(plain), draft=draft)
    with database.read() as session:
        assert session.query(PlaybookDocument).count() == 0
        with pytest.raises(NotFound):
            shelf.get(session, ID)


@pytest.mark.parametrize("identifier", ["", "x", f"action--{uuid(5)}"])
def test_a_draft_has_an_id_all_the_same(database: Database, identifier: str) -> None:
    with pytest.raises(Invalid) as refused, database.write() as session:
        shelf.save(session, RESPONDER, octets(document(id=identifier)), draft=True)
    assert refused.value.field == "id"


@pytest.mark.parametrize("who", [ANALYST, SECADMIN, BUREAU, SCOPED], ids=lambda who: who.name)
def test_who_may_not_write_playbooks(database: Database, who: object) -> None:
    with pytest.raises(Denied), database.write() as session:
        shelf.save(session, who, octets(document()))  # type: ignore[arg-type]


def test_no_command_is_known_that_has_no_action(database: Database) -> None:
    unknown = document()
    unknown["workflow"][FIRST] |= {"commands": [{"type": "liandun-teleport"}], "agent": AGENT, "targets": [], "out_args": []}
    with pytest.raises(PlaybookError, match="liandun-teleport"), database.write() as session:
        shelf.save(session, RESPONDER, octets(unknown))


def test_a_called_playbook_has_to_be_on_the_shelf(database: Database) -> None:
    inner = document(id=f"playbook--{uuid(201)}", name="里")
    with pytest.raises(PlaybookError, match="is not known"), database.write() as session:
        shelf.save(session, RESPONDER, calling(inner["id"]))
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(inner))
        version = shelf.save(session, RESPONDER, calling(inner["id"]))
    assert (version.runnable, version.calls) == (True, [inner["id"]])


def test_stamping_names_a_new_version_and_takes_signatures_away(database: Database) -> None:
    signed = document(signatures=[{"type": "jss", "value": "x"}])
    with database.write() as session:
        shelf.save(session, RESPONDER, octets(document()))
        shelf.save(session, RESPONDER, octets({**signed, "name": "新"}), base=1, draft=True, stamp=True)
    with database.read() as session:
        kept = json.loads(shelf.document(session, ID))
        assert shelf.version(session, ID, 2).modified == kept["modified"] > document()["modified"]
    assert "signatures" not in kept
    assert kept["created"] == document()["created"]
    assert read(octets(kept)).name == "新"
