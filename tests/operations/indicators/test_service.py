"""Indicators in the database: add, import again and again, revoke, expire, publish."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.db import Database
from kernel.indicators.index import Index
from operations import clock
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, Invalid, NotFound
from operations.indicators import formats, listing, service
from operations.indicators.publish import IndicatorPublisher
from operations.indicators.schema import Candidate, IndicatorFilter, Outcome
from tests.state_database import migrated

FEED = (
    b"# a feed\n203.0.113.9\n2001:db8:bad::/48\n*.evil[.]example\nhxxp://evil.example/pay\n"
    + b"ab" * 16
    + b"\n10.0.0.1\nnonsense\n"
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path}/state.db")


def _import(database: Database, octets: bytes = FEED, **how: object) -> Outcome:
    return service.bring_in(database, SYSTEM, formats.read("lines", io.BytesIO(octets)), origin="feed", **how)  # type: ignore[arg-type]


def test_an_import_takes_what_it_can_and_says_why_not(database: Database) -> None:
    outcome = _import(database)
    assert (outcome.added, outcome.changed, outcome.same, outcome.refused_count) == (5, 0, 0, 2)
    assert [(one.place, one.value) for one in outcome.refused] == [("line 7", "10.0.0.1"), ("line 8", "nonsense")]
    with database.read() as session:
        page = listing.list_indicators(session)
        assert [(one.kind, one.value) for one in reversed(page.indicators)] == [
            ("address", "203.0.113.9"),
            ("network", "2001:db8:bad::/48"),
            ("domain", "*.evil.example"),
            ("url", "http://evil.example/pay"),
            ("hash", "ab" * 16),
        ]
        acts = [row.action for row in session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()]
    assert acts == ["indicators.import", "indicators.imported"]


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    _import(database)
    outcome = _import(database)
    assert (outcome.added, outcome.changed, outcome.same) == (0, 0, 5)
    outcome = _import(database, confidence=90)
    assert (outcome.added, outcome.changed, outcome.same) == (0, 5, 0)


def test_a_dry_import_stores_nothing(database: Database) -> None:
    assert _import(database, dry=True).added == 5
    with database.read() as session:
        assert listing.list_indicators(session).indicators == []
        assert session.execute(select(AuditEntry)).first() is None


def test_a_value_twice_in_one_file_stands_once(database: Database) -> None:
    assert _import(database, b"203.0.113.9\n203.0.113.9\n203[.]0.113.9\n").added == 1
    assert _import(database, b"\n".join([b"203.0.113.9"] * 1200)).added == 0


def test_an_import_ends_at_its_bound_and_keeps_what_came_before(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 1000)
    monkeypatch.setattr(service, "PIECE", 500)
    lines = b"\n".join(f"198.51.{number // 250}.{number % 250}".encode() for number in range(1500))
    with pytest.raises(Invalid, match="at most 1,000"):
        _import(database, lines)
    with database.read() as session:
        assert len(listing.list_indicators(session, limit=500).indicators) == 500
        assert session.execute(select(AuditEntry).order_by(AuditEntry.id.desc())).scalars().first().action == "indicators.imported"


def test_add_refuses_what_would_ring_for_everybody(database: Database) -> None:
    with database.write() as session:
        for value in (
            "8.8.8.8",
            "192.168.1.1",
            "203.0.0.0/8",
            "*.com.cn",
            "http://10.1.1.1/x",
            "https://[::1]/",
            "d41d8cd98f00b204e9800998ecf8427e",
            "::1",
            "fe80::1",
            "2001:db8::/16",
        ):
            with pytest.raises(Invalid):
                service.add(session, SYSTEM, Candidate(value))


def test_revoke_change_and_versions(database: Database) -> None:
    with database.write() as session:
        made = service.add(session, SYSTEM, Candidate("203.0.113.9", note="seen in case 7"))
        with pytest.raises(Conflict):
            service.add(session, SYSTEM, Candidate("203.0.113.9"))
    with database.write() as session:
        with pytest.raises(Conflict):
            service.revoke(session, SYSTEM, made.id, "wrong", expected_version=7)
        with pytest.raises(Invalid):
            service.revoke(session, SYSTEM, made.id, "  ", expected_version=1)
        gone = service.revoke(session, SYSTEM, made.id, "a scanner of ours", expected_version=1)
        assert (gone.state, gone.version) == ("revoked", 2)
        with pytest.raises(NotFound):
            service.revoke(session, SYSTEM, 99, "x", expected_version=None)
        again = service.change(session, SYSTEM, made.id, confidence=30, valid_until="", note="", expected_version=2)
        assert (again.state, again.confidence, again.revoked_at) == ("active", 30, "")


def test_what_people_revoked_a_feed_does_not_bring_back(database: Database) -> None:
    _import(database, b"203.0.113.9")
    with database.write() as session:
        service.revoke(session, SYSTEM, 1, "false", expected_version=None)
    assert _import(database, b"203.0.113.9", confidence=99).same == 1
    with database.read() as session:
        assert listing.get_indicator(session, 1).state == "revoked"


def test_what_a_feed_took_back_it_may_bring_again(database: Database) -> None:
    for revoked, expected in ((False, "active"), (True, "revoked"), (True, "revoked"), (False, "active")):
        service.bring_in(database, SYSTEM, [Candidate("203.0.113.9", revoked=revoked)], origin="feed")
        with database.read() as session:
            assert listing.get_indicator(session, 1).state == expected


def test_filters(database: Database) -> None:
    _import(database)
    with database.write() as session:
        service.add(session, SYSTEM, Candidate("boss@evil.example"))
        service.revoke(session, SYSTEM, 1, "gone", expected_version=None)
    with database.read() as session:

        def values(**where: object) -> list[str]:
            return [one.value for one in listing.list_indicators(session, IndicatorFilter(**where)).indicators]  # type: ignore[arg-type]

        assert values(kind="network") == ["2001:db8:bad::/48"]
        assert values(origin="hand") == ["boss@evil.example"]
        assert values(state="revoked") == ["203.0.113.9"]
        assert values(text="EVIL") == ["boss@evil.example", "http://evil.example/pay", "*.evil.example"]
        assert values(text="%") == []
        assert values(met=True) == []
        assert listing.origins(session) == ["feed", "hand"]
        first = listing.list_indicators(session, limit=2)
        rest = listing.list_indicators(session, limit=50, cursor=first.cursor)
        assert len(first.indicators) + len(rest.indicators) == 6
        with pytest.raises(Invalid):
            listing.list_indicators(session, cursor="x")


def test_what_holds_is_published_and_nothing_else(database: Database, tmp_path: Path) -> None:
    now = [100.0]
    publisher = IndicatorPublisher(database, tmp_path / "indicators.db", lambda: now[0])
    publisher()
    assert not (tmp_path / "indicators.db").exists()
    _import(database)
    service.bring_in(database, SYSTEM, [Candidate("203.0.113.9", confidence=99)], origin="surer feed")
    publisher()
    assert not (tmp_path / "indicators.db").exists()  # it might still be going on
    now[0] += 3
    publisher()
    index = Index(tmp_path / "indicators.db")
    found = index.find_address("203.0.113.9")
    assert found is not None
    assert (found.origin, found.confidence) == ("surer feed", 99)
    assert index.find_address("2001:db8:bad::1") is not None
    with database.write() as session:
        service.revoke(session, SYSTEM, 6, "no", expected_version=None)
    publisher()
    now[0] += 3
    publisher()
    found = Index(tmp_path / "indicators.db").find_address("203.0.113.9")
    assert found is not None
    assert found.origin == "feed"


def test_while_an_import_runs_it_is_published_once_a_minute(database: Database, tmp_path: Path) -> None:
    now = [100.0]
    path = tmp_path / "indicators.db"
    publisher = IndicatorPublisher(database, path, lambda: now[0])
    written = []
    for number in range(80):
        service.bring_in(database, SYSTEM, [Candidate(f"203.0.113.{number}")], origin="feed")
        publisher()
        now[0] += 1
        written.append(path.stat().st_ino if path.exists() else 0)
    assert len(set(written)) == 2


def test_expired(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        service.add(session, SYSTEM, Candidate("203.0.113.9"))
        with pytest.raises(Invalid, match="ended"):
            service.add(session, SYSTEM, Candidate("203.0.113.8", valid_until="2020-01-01T00:00:00Z"))
    later = clock.shift(clock.now(), 91 * 86_400)
    monkeypatch.setattr(clock, "now", lambda: later)
    with database.write() as session:
        assert listing.get_indicator(session, 1).state == "expired"
        assert service.add(session, SYSTEM, Candidate("203.0.113.9")).state == "active"
