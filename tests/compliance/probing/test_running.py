"""Runs over targets: verdicts, sealed evidence, drifts with ticket, and failures that stay their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from compliance.assessment import scoring
from compliance.assessment.models import VerdictRow
from compliance.assessment.record import record_many
from compliance.assessment.schema import Finding
from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.reading.tls import TlsEndpoint
from compliance.probes.result import Result
from compliance.probes.target import Taken, Target
from compliance.probing import keeping, service
from compliance.probing.models import RunRow
from compliance.probing.running import look, run_due
from compliance.probing.schema import TargetDraft, TargetRecord
from compliance.reports.material import gather
from compliance.reports.package import evidence
from compliance.systems import service as systems
from compliance.systems.schema import SystemDraft
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.programs.time_left import TimeLeft
from operations import clock
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, NotFound
from operations.tickets import service as tickets
from tests.compliance.assessment.small_system import PASSWORDS, SmallSystem
from tests.compliance.probes.snapshots import HARD, WEAK, parts

HARDENED, NEGLECTED = parts(HARD), parts(WEAK)
KEY = MasterKey(b"0123456789abcdef")
HOST: tuple[Source, ...] = ("linux", "nginx")


class Broken:
    """A way in whose driver fails in a way that nobody foresaw."""

    name, sources = "broken", HOST

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        raise KeyError("no such thing")


def enter(small: SmallSystem, object_id: int, way: str = "local", **more: str) -> int:
    with small.database.write() as session:
        return service.add(session, small.who, TargetDraft(small.id, object_id, way, **more)).id


def verdicts(small: SmallSystem, object_id: int) -> dict[str, VerdictRow]:
    with small.database.read() as session:
        query = select(VerdictRow).where(VerdictRow.object_id == object_id)
        return {row.item: row for row in session.execute(query).scalars()}


def test_a_day_of_a_host(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    target = enter(small, small.host)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    assert outcome.error == ""
    assert outcome.recorded > 10
    found = verdicts(small, small.host)
    assert found[PASSWORDS].verdict == "met"
    assert (found[PASSWORDS].judged_by, found[PASSWORDS].source) == ("system", "probe")
    with small.database.write() as session:
        octets = keeping.unseal(session, KEY, SYSTEM, found[PASSWORDS].evidence)
        opened = session.execute(select(AuditEntry.detail).where(AuditEntry.action == "probe_evidence.open")).scalar_one()
    assert sm3(octets).hex() == found[PASSWORDS].evidence
    assert found[PASSWORDS].evidence in opened
    results = msgspec.json.decode(octets, type=list[Result])
    assert {one.target for one in results} == {"local"}
    assert any("pam_pwquality" in one.evidence for one in results)
    with small.database.read() as session:
        assert len(scoring.trend(session, small.id, "2025")) == 1
        assert service.targets(session)[0].next_at > clock.shift(clock.now(), service.DAY - 60)
    assert run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED)) == [], "once a day"

    tomorrow = clock.shift(clock.now(), service.DAY + 60)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, NEGLECTED))
    assert (outcome.target.id, outcome.error) == (target, "")
    assert outcome.drifts > 5
    with small.database.read() as session:
        titles = [one.title for one in tickets.list_tickets(session).tickets]
    assert any(PASSWORDS in title for title in titles)


def test_one_that_fails_stops_no_other_and_is_told(small: SmallSystem) -> None:
    hosts = ((small.host, "h1"), (small.other, "h2"), (small.base, "h3"))
    good, bad, gone = (enter(small, one, "ssh", place=place, login="audit", secret="key") for one, place in hosts)

    def way_to(target: TargetRecord) -> Target:
        if target.id == bad:
            return Broken()
        if target.id == gone:
            raise OSError("no route to host")
        return Taken("h1", HOST, HARDENED)

    outcomes = {one.target.id: one for one in run_due(small.database, KEY, way_to)}
    assert outcomes[good].error == ""
    assert outcomes[good].recorded
    assert "KeyError" in outcomes[bad].error
    assert "no route to host" in outcomes[gone].error
    with small.database.read() as session:
        told = {one.id: one for one in service.troubles(session)}
        assert sorted(told) == [bad, gone]
    assert told[bad].next_at < clock.shift(clock.now(), service.AGAIN + 60)
    assert verdicts(small, small.other) == {}


def test_verdicts_that_cannot_be_recorded_are_told_and_the_next_target_goes_on(small: SmallSystem) -> None:
    enter(small, small.host)
    enter(small, small.other)
    with small.database.write() as session:
        session.execute(update(service.TargetRow).where(service.TargetRow.object_id == small.host).values(object_id=4711))
    outcomes = run_due(small.database, KEY, lambda one: Taken("h", HOST, HARDENED))
    by_object = {one.target.object_id: one for one in outcomes}
    assert "there is no object 4711" in by_object[4711].error
    assert by_object[small.other].recorded
    with small.database.read() as session:
        assert len(session.execute(select(RunRow.id)).all()) == 1, "what is not recorded leaves no evidence behind"


def test_no_more_at_once_than_allowed(small: SmallSystem) -> None:
    for object_id in (small.host, small.other, small.base, small.room):
        for place in ("a", "b"):
            enter(small, object_id, "ssh", place=place, login="audit", secret="key")
    running, most, lock = 0, 0, threading.Lock()

    class Slow:
        name, sources = "slow", HOST

        def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            raise OSError("closed")

    with small.database.write() as session:
        wanted = service.targets(session)
    assert len(list(look(small.database, KEY, lambda one: Slow(), wanted, workers=3))) == 8
    assert 1 < most <= 3


def test_an_endpoint_that_does_not_answer(small: SmallSystem) -> None:
    enter(small, small.host, "tls", place="127.0.0.1:1")
    (outcome,) = run_due(small.database, KEY, lambda one: TlsEndpoint("127.0.0.1", 1))
    assert "does not answer" in outcome.error


def test_the_system_as_a_whole_gets_what_it_has_no_object_for(small: SmallSystem) -> None:
    enter(small, 0)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    assert outcome.error == ""
    assert PASSWORDS not in verdicts(small, 0), "there are hosts for that"


def test_evidence_is_kept_while_it_is_cited(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(small, small.host)
    now = clock.now()
    days = 0
    for days in range(4):
        moment = clock.shift(now, days * (service.DAY + 60))
        monkeypatch.setattr(clock, "now", lambda at=moment: at)
        run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    with small.database.read() as session:
        assert len(session.execute(select(RunRow.id)).all()) == 4
    far = clock.shift(now, (days + keeping.KEEP_DAYS + 2) * service.DAY)
    monkeypatch.setattr(clock, "now", lambda: far)
    with small.database.write() as session:
        assert keeping.forget(session) == 2, "the first is cited by the history, the last by the verdicts"
        cited = session.execute(select(VerdictRow.evidence)).scalars().first()
        assert cited is not None
        keeping.unseal(session, KEY, SYSTEM, cited)
        with pytest.raises(NotFound):
            keeping.find(session, "00" * 32)


def test_tampered_evidence_does_not_open(small: SmallSystem) -> None:
    enter(small, small.host)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    with small.database.write() as session:
        package = keeping.find(session, outcome.evidence).package
        session.execute(update(RunRow).values(package=package[:-1] + bytes([package[-1] ^ 1])))
    with small.database.write() as session, pytest.raises(Conflict):
        keeping.unseal(session, KEY, SYSTEM, outcome.evidence)


def test_the_evidence_package_has_what_was_read(small: SmallSystem, tmp_path: Path) -> None:
    enter(small, small.host)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    with small.database.write() as session:
        material = gather(session, small.id)
        found = evidence.gather(session, KEY, small.who, material, "package")
    assert found.known == {outcome.evidence}
    assert sm3(found.files[f"evidence/probes/{outcome.evidence}.json"]).hex() == outcome.evidence


def test_a_run_of_another_system_is_not_in_the_evidence_package(small: SmallSystem) -> None:
    enter(small, small.host)
    (outcome,) = run_due(small.database, KEY, lambda one: Taken("h1", HOST, HARDENED))
    with small.database.write() as session:
        other = systems.create_system(session, small.who, SystemDraft("别的系统", "S3A3")).id
        draft = [Finding(PASSWORDS, 0, "met", "copied", outcome.evidence)]
        record_many(session, SYSTEM, other, draft, source="probe")
    with small.database.write() as session:
        found = evidence.gather(session, KEY, small.who, gather(session, other), "package")
    assert (found.files, found.left) == ({}, {outcome.evidence: evidence.ELSEWHERE})
    with small.database.read() as session, pytest.raises(NotFound):
        keeping.find(session, outcome.evidence, other)


def test_objects_that_are_one_place_are_read_once(small: SmallSystem) -> None:
    for object_id in (small.host, small.other):
        enter(small, object_id, "ssh", place="h1", login="audit", secret="key")
    enter(small, small.host, "ssh", place="h2", login="audit", secret="key")
    asked: list[str] = []

    def way_to(target: TargetRecord) -> Target:
        asked.append(target.place)
        return Taken(target.place, HOST, HARDENED)

    outcomes = run_due(small.database, KEY, way_to)
    assert sorted(asked) == ["h1", "h2"]
    assert all(one.recorded and not one.error for one in outcomes)
    assert set(verdicts(small, small.host)) == set(verdicts(small, small.other))
    with small.database.read() as session:
        assert len(scoring.trend(session, small.id, "2025")) == 1
