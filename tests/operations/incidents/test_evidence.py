"""Evidence of an incident: sealed, handed on, opened, verified by the command line's own means; tampering is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.db import Database
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from operations.alerts.reading import get_detail
from operations.audit.models import AuditEntry
from operations.certificates import service as certificates
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.evidence.package import Trust, verify_evidence
from operations.incidents import service
from operations.incidents.models import EvidenceKey, IncidentEvidence
from operations.incidents.schema import EvidenceRecord, IncidentRow, NewIncident
from tests.operations.incidents.conftest import ALICE, CLOUD, WATER

Run = Callable[..., Any]
KEY = MasterKey(b"0123456789abcdef")
PAYLOAD = b"From: attacker\r\n<script>alert(1)</script>\x00\xff"


@pytest.fixture
def made(act: Run, attack: list[int]) -> IncidentRow:
    found = act(service.create_incident, ALICE, NewIncident("取证", alert_ids=tuple(attack)))
    assert isinstance(found, IncidentRow)
    return found


@pytest.fixture
def sealed(act: Run, made: IncidentRow) -> EvidenceRecord:
    found = seal(act, made.id)
    assert isinstance(found, EvidenceRecord)
    return found


def seal(act: Run, incident_id: int, who: Any = ALICE) -> Any:
    def run(session: Any, actor: Any) -> Any:
        return service.seal(session, KEY, actor, incident_id, "邮件.eml", PAYLOAD, reason="SJ-1", origin="ws-1")

    return act(run, who)


def hand_on(act: Run, number: int, evidence: int, who: Any = ALICE, **more: Any) -> Any:
    return act(lambda session, actor: service.hand_on(session, KEY, actor, number, evidence, "hand over", "网安支队", **more), who)


def test_sealed_handed_on_and_opened(made: IncidentRow, sealed: EvidenceRecord, act: Run, look: Run, city: Database) -> None:
    assert (sealed.sm3, sealed.size, sealed.sealed_by) == (sm3(PAYLOAD).hex(), len(PAYLOAD), "alice")
    handed = hand_on(act, made.id, sealed.id, expected_version=1)
    assert handed.head != sealed.head
    with pytest.raises(Stale):
        hand_on(act, made.id, sealed.id, expected_version=1)
    record, octets = act(lambda session, actor: service.open_payload(session, KEY, actor, made.id, sealed.id, "鉴定"), ALICE)
    assert octets == PAYLOAD
    found = look(service.verify, made.id, sealed.id)
    assert found.problem == ""
    assert [(link["action"], link["actor"], link["reason"], link["source"]) for link in found.links] == [
        ("seal", "alice", "SJ-1", "ws-1"),
        ("hand over", "alice", "网安支队", "192.0.2.1"),
        ("open", "alice", "鉴定", "192.0.2.1"),
    ]
    with city.read() as session:
        told = session.execute(select(AuditEntry.detail).where(AuditEntry.action == "incident.evidence")).scalars().all()
    assert [orjson.loads(detail)["head"] for detail in told][-1] == record.head


def test_a_copy_is_verified_without_the_platform(
    made: IncidentRow, sealed: EvidenceRecord, act: Run, city: Database, tmp_path: Path
) -> None:
    record, octets = act(lambda session, actor: service.copy_evidence(session, KEY, actor, made.id, sealed.id, "法院"), ALICE)
    package = tmp_path / "copy.evidence"
    package.write_bytes(octets)
    with city.read() as session:
        roots = certificates.trusted_roots(session)
    links, head = verify_evidence(package, Trust(roots, head=record.head))
    assert [link.action for link in links] == ["seal", "copy"]
    assert head == record.head
    assert PAYLOAD[:14] not in octets


def test_tampering_is_noticed(made: IncidentRow, sealed: EvidenceRecord, act: Run, look: Run, city: Database) -> None:
    with city.read() as session:
        before = session.execute(select(IncidentEvidence.package)).scalar_one()
    hand_on(act, made.id, sealed.id)
    with city.read() as session:
        whole = session.execute(select(IncidentEvidence.package)).scalar_one()
    for forged in (before, whole[:-1] + bytes([whole[-1] ^ 1]), b"LDEVID1\n", b""):
        with city.write() as session:
            session.execute(update(IncidentEvidence).values(package=forged))
        assert look(service.verify, made.id, sealed.id).problem
        with pytest.raises(Conflict):
            act(lambda session, actor: service.open_payload(session, KEY, actor, made.id, sealed.id, "x"), ALICE)


def test_the_platform_key_lies_sealed(sealed: EvidenceRecord, city: Database, act: Run, made: IncidentRow) -> None:
    assert sealed.id == 1
    with city.read() as session:
        rows = session.execute(select(EvidenceKey)).scalars().all()
    assert [row.id for row in rows] == [1]
    assert KEY.unseal(rows[0].sealed, "incident evidence key:1")
    seal(act, made.id)
    with city.read() as session:
        assert len(session.execute(select(EvidenceKey.id)).all()) == 1


def test_who_does_not_see_the_whole(made: IncidentRow, sealed: EvidenceRecord, act: Run, look: Run) -> None:
    assert look(service.list_evidence, made.id, who=CLOUD) == ([], 1)
    for who in (CLOUD, WATER):
        with pytest.raises(Conflict, match="may not see"):
            seal(act, made.id, who)
        with pytest.raises(NotFound):
            hand_on(act, made.id, sealed.id, who)
        with pytest.raises(NotFound):
            look(service.verify, made.id, sealed.id, who=who)
    other = act(service.create_incident, ALICE, NewIncident("另一起"))
    with pytest.raises(NotFound):
        hand_on(act, other.id, sealed.id)


def test_what_cannot_be_sealed(made: IncidentRow, act: Run) -> None:
    for name, payload, reason, origin in (("", b"x", "y", "z"), ("n", b"", "y", "z"), ("n", b"x", " ", "z"), ("n", b"x", "y", "")):
        with pytest.raises(Invalid):
            act(
                lambda session, actor, n=name, p=payload, r=reason, o=origin: service.seal(
                    session, KEY, actor, made.id, n, p, reason=r, origin=o
                ),
                ALICE,
            )


def test_the_events_of_the_alerts(made: IncidentRow, look: Run, city: Database, tmp_path: Path) -> None:
    """One event is in the store as it was stored, of the other alerts the event that they keep."""
    with city.read() as session:
        detail = service.alerts_of(session, made.id)
    assert len(detail) == 3
    with city.read() as session:
        stored = dict(get_detail(session, 1).event) | {"event.original": "Failed password for root"}
    lake = Lake.open(tmp_path / "lake", writable=True)
    lake.commit(Commit([stored], consumer="test", position=1))
    payload, events, left_out = look(service.collect, lake, made.id)
    lines = [orjson.loads(line) for line in payload.splitlines()]
    assert (events, left_out, len(lines)) == (3, 0, 4)
    assert lines[0]["alerts"] == [1, 2, 3]
    assert [line.get("event.original") for line in lines[1:]] == ["Failed password for root", None, None]
    assert {line["event.id"] for line in lines[1:]} == {dict(get_event)["event.id"] for get_event in _kept(city)}
    lake.close()


def _kept(city: Database) -> list[Any]:
    with city.read() as session:
        return [get_detail(session, number).event for number in (1, 2, 3)]
