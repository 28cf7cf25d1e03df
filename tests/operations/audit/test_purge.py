"""Purging by age: only old prefixes, only by whom it is allowed to, and every proof holds as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crypto.merkle import leaf_hash, verify_consistency, verify_inclusion
from kernel.db import Database
from kernel.event import timestamp
from operations.accounts.schema import Principal
from operations.audit import service, tree
from operations.audit.heads import Trail
from operations.audit.purge import purge
from operations.audit.schema import Verification
from operations.errors import Denied, Invalid
from tests.operations.audit.conftest import replant, tamper, write

Check = Callable[[], Verification]


@pytest.fixture
def aged(database: Database, trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Two entries of today (the set-up), then 10 of 300 days ago, 10 of 190, 5 of today: a clock that was wrong once included."""
    for days, number in ((300, 10), (190, 10)):
        moment = timestamp(datetime.now(UTC) - timedelta(days=days))
        with monkeypatch.context() as patch:
            patch.setattr(service.clock, "now", lambda moment=moment: moment)
            write(database, number)
        trail.sign()
    write(database, 5)
    trail.sign()
    return database


def _age_the_set_up(database: Database) -> None:
    """The two entries of the set-up count as old: written again as if long ago (a test has no other way to be that old)."""
    tamper(database, "UPDATE audit_entries SET time = '2020-01-01T00:00:00.000000Z' WHERE id < 3")
    replant(database)


def test_an_entry_that_must_stay_keeps_those_after_it(aged: Database, alice: Principal) -> None:
    assert purge(aged, alice, 200) == 0  # entry 1 is of today


@pytest.fixture
def old(database: Database, trail: Trail, monkeypatch: pytest.MonkeyPatch) -> Database:
    """22 entries of 300 days ago (the set-up among them), 10 of 190, 5 of today."""
    _age_the_set_up(database)
    for days, number in ((300, 20), (190, 10)):
        moment = timestamp(datetime.now(UTC) - timedelta(days=days))
        with monkeypatch.context() as patch:
            patch.setattr(service.clock, "now", lambda moment=moment: moment)
            write(database, number)
        trail.sign()
    write(database, 5)
    trail.sign()
    return database


def test_what_remains_is_proven_as_before(old: Database, trail: Trail, alice: Principal, check: Check) -> None:
    heads = trail.head_file.read().heads
    assert [head.size for head in heads] == [22, 32, 37]
    assert purge(old, alice, 200) == 22
    assert purge(old, alice, 200) == 0
    trail.sign()
    assert check().ok
    assert (check().checked, check().heads) == (38, 4)
    with old.read() as session:
        assert service.listing(session, limit=500).entries[-1].id == 23
        entry = service.find(session, 38)
        state = tree.state(session)
        for head in heads:
            proof = tree.prove_consistency(session, head.size)
            path = [bytes.fromhex(step) for step in proof.path]
            assert proof.first_root == head.root
            assert verify_consistency(head.size, 38, bytes.fromhex(head.root), bytes.fromhex(state.root), path)
        gone, kept = tree.prove_inclusion(session, 5), tree.prove_inclusion(session, 30)
    assert (entry.action, entry.result, entry.detail["to"]) == ("audit.purge", "success", 22)
    assert state.purged == 22
    assert gone.entry == ""
    for proof_, leaf in ((gone, bytes.fromhex(gone.leaf)), (kept, leaf_hash(kept.entry.encode()))):
        path = [bytes.fromhex(step) for step in proof_.path]
        assert verify_inclusion(leaf, proof_.entry_id - 1, 38, path, bytes.fromhex(state.root))


@pytest.mark.parametrize("days", [179, 0, -5])
def test_fewer_than_180_days_are_refused(old: Database, alice: Principal, days: int) -> None:
    with pytest.raises(Invalid, match="fewer than 180"):
        purge(old, alice, days)


def test_it_needs_the_audit_power_and_a_refusal_is_an_entry(old: Database, alice: Principal) -> None:
    for weak in (msgspec.structs.replace(alice, role="analyst"), msgspec.structs.replace(alice, granted=frozenset({"audit.read"}))):
        with pytest.raises(Denied, match=r"audit\.retain"):
            purge(old, weak, 200)
    with old.read() as session:
        entry = service.listing(session, limit=1).entries[0]
        assert (entry.action, entry.result) == ("audit.purge", "denied")
        assert session.execute(text("SELECT count(*) FROM audit_entries WHERE id < 23")).scalar() == 22


def test_the_database_lets_nothing_go_that_is_not_marked(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET purged = 1"))
        connection.execute(text("DELETE FROM audit_entries WHERE id = 1"))
    for table in ("audit_entries", "audit_nodes"):
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))


def test_a_purge_that_the_trail_does_not_tell_of_is_found(old: Database, check: Check) -> None:
    tamper(old, "UPDATE audit_head SET purged = 22", "DELETE FROM audit_entries WHERE id <= 22")
    assert (check().bad_id, check().place) == (1, "purge")


def test_more_gone_than_was_purged_is_found(old: Database, alice: Principal, check: Check) -> None:
    purge(old, alice, 200)
    tamper(old, "DELETE FROM audit_entries WHERE id <= 25")
    assert (check().bad_id, check().place) == (23, "missing")


def test_leaves_of_purged_entries_changed_are_found(old: Database, alice: Principal, check: Check) -> None:
    purge(old, alice, 200)
    tamper(old, "DELETE FROM audit_nodes WHERE level = 0 AND place = 4")
    assert check().bad_id == 5
