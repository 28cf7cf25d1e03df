"""Evidence from kept packets by a playbook's command: cut out by the real helper, sealed, opened again, and once only."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
from scapy.all import PcapWriter, rdpcap

from cli.kept_packets import KeptPackets
from collectors.packet_slice import CapturePlace
from crypto.secret import MasterKey
from kernel.db import Database
from kernel.detection import Detection, detection_id
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.incidents import evidence
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.own_kinds import own
from playbooks.model import Command
from playbooks.variables import Value
from tests.collectors.conversations import EICAR, http_download
from tests.state_database import migrated

WHEN = "2026-11-23T04:00:00.000000Z"
KEY = MasterKey(bytes(range(16)))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path}/state.db")


def alert(database: Database, source: str, target: str) -> int:
    event = {
        "@timestamp": WHEN,
        "event.id": "0" * 32,
        "source.ip": source,
        "destination.ip": target,
        "event.dataset": "suricata.alert",
    }
    one = Detection(
        id=detection_id("r", ["0" * 32]), rule_id="r", rule_name="EICAR", level="high", engine="suricata", time=WHEN,
        event_ids=["0" * 32], event=event, tags=[], matched=[], author="", group={},
    )  # fmt: skip
    with database.write() as session:
        return alerts.record_detections(session, [one]).new_alert_ids[0]


def captured(folder: Path, source: str, target: str) -> CapturePlace:
    folder.mkdir()
    begin = datetime.fromisoformat(WHEN).timestamp()
    packets = [*http_download(source, target, EICAR), *http_download("192.0.2.99", "192.0.2.98", EICAR)]
    with PcapWriter(str(folder / "kept.pcap")) as writer:
        for number, packet in enumerate(packets):
            packet.time = begin + number / 100
            writer.write(packet)
    return CapturePlace(str(folder))


def carry_out(database: Database, packets: KeptPackets, alert_id: int, incident: int, key: str = "7.3.0.0") -> dict[str, Value]:
    given = {"alert": str(alert_id), "incident": str(incident), "reason": "download of malware"}
    request = Request(
        key=key,
        step_id="action--1",
        command=Command(type="liandun-evidence-packets", more={"parameters": given}),
        out_args=("__evidence_id__", "__evidence_sm3__"),
    )
    return dict(own(database, KEY, packets)[request.command.type].run(request, Context(time.monotonic() + 60)))


@pytest.mark.parametrize(("source", "target"), [("10.0.0.7", "10.0.0.80"), ("2001:db8::7", "2001:db8::80")])
def test_the_conversation_of_an_alert_is_sealed_as_evidence(database: Database, tmp_path: Path, source: str, target: str) -> None:
    packets = KeptPackets([captured(tmp_path / "kept", source, target)])
    alert_id = alert(database, source, target)
    with database.write() as session:
        incident = create_incident(session, SYSTEM, NewIncident(title="malware", severity="high")).id
    gave = carry_out(database, packets, alert_id, incident)
    assert gave == carry_out(database, packets, alert_id, incident)  # again is once
    with database.write() as session:
        records, hidden = evidence.list_evidence(session, incident)
        assert ([str(one.id) for one in records], records[0].sm3, hidden) == (
            [gave["__evidence_id__"]],
            gave["__evidence_sm3__"],
            0,
        )
        assert evidence.verify(session, incident, records[0].id).problem == ""
        _, payload = evidence.open_payload(session, KEY, SYSTEM, incident, records[0].id, "look")
    (tmp_path / "out.pcap").write_bytes(payload)
    ends = {tuple(sorted((packet.payload.src, packet.payload.dst))) for packet in rdpcap(str(tmp_path / "out.pcap"))}
    assert ends == {tuple(sorted((source, target)))}


def test_without_packets_or_a_conversation_it_says_so(database: Database, tmp_path: Path) -> None:
    packets = KeptPackets([captured(tmp_path / "kept", "10.0.0.7", "10.0.0.80")])
    with database.write() as session:
        incident = create_incident(session, SYSTEM, NewIncident(title="malware", severity="high")).id
    with pytest.raises(ActionError, match="no packets"):
        carry_out(database, packets, alert(database, "10.9.9.9", "10.9.9.8"), incident)
    with pytest.raises(ActionError, match="no alert 4711"):
        carry_out(database, packets, 4711, incident)
