"""The packets of an alert, found and handed out, for the page and the API.

Who asks for their content is written to the audit trail first.
"""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.packet_dissection import Layer, Table
from collectors.packet_slice import Conversation, Slice
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.event import timestamp_from_micros
from operations.alerts import service as alerts
from operations.alerts.schema import AlertRow
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Invalid, NotFound
from operations.incidents import service as incidents
from operations.incidents.reading import incident_of_alert
from operations.incidents.schema import IncidentRow
from soc_ui.alerts.packet_desk import PacketDesk, conversation_of, span_of
from soc_ui.services import services


class PacketFacts(msgspec.Struct):
    """What there is.

    state  "found", "none" (looked for and not there), "no conversation" (the event names no two addresses), "no captures" (this
           platform keeps no packets)
    start, end, first, last  ``@timestamp`` texts: where was looked, and what was found
    """

    state: str
    conversation: Conversation | None = None
    start: str = ""
    end: str = ""
    packets: int = 0
    octets: int = 0
    first: str = ""
    last: str = ""
    files: int = 0
    cut: str = ""
    raw: bool = False
    problems: list[str] = []


class AlertPackets(msgspec.Struct):
    """``found`` is None where nothing could be looked for."""

    alert: AlertRow
    facts: PacketFacts
    incident: IncidentRow | None = None
    found: Slice | None = None

    @property
    def name(self) -> str:
        return f"liandun-alert-{self.alert.id}.pcap"


def look(alert_id: int) -> AlertPackets:
    """Raises NotFound (also where the alert is outside of the scope), HelperFailed, StoreError."""
    with services().database.read() as session:
        detail = alerts.get_detail(session, alert_id)
        incident = incident_of_alert(session, alert_id)
    talk, span, desk = conversation_of(detail.event), span_of(detail.event), services().packets
    if desk is None or not desk.places:
        return AlertPackets(detail.alert, PacketFacts("no captures"), incident)
    if talk is None or span is None:
        return AlertPackets(detail.alert, PacketFacts("no conversation"), incident)
    found = desk.slice(talk, span)
    facts = PacketFacts(
        "found" if found.packets else "none", talk, _text(span.start), _text(span.end), found.packets, found.octets,
        _text(found.first), _text(found.last), found.files, found.cut, found.raw, found.problems,
    )  # fmt: skip
    return AlertPackets(detail.alert, facts, incident, found)


def export(actor: Actor, alert_id: int) -> tuple[AlertPackets, bytes]:
    """The pcap. Raises NotFound where there is none."""
    looked, found = _found(alert_id)
    _remember(actor, "packets.export", looked, sm3=sm3(found.pcap).hex())
    return looked, found.pcap


def table(actor: Actor, alert_id: int) -> tuple[AlertPackets, Table]:
    """What is in them. Raises NotFound, HelperFailed, TsharkMissing."""
    looked, found = _found(alert_id)
    _remember(actor, "packets.read", looked)
    return looked, _desk().table(found)


def layers(actor: Actor, alert_id: int, number: int) -> tuple[AlertPackets, list[Layer]]:
    """All of packet ``number``. Raises NotFound, HelperFailed, TsharkMissing."""
    looked, found = _found(alert_id)
    if not 0 < number <= found.packets:
        raise NotFound(f"the alert has no packet {number}")
    _remember(actor, "packets.read", looked, packet=number)
    return looked, _desk().layers(found, number)


def keep_as_evidence(actor: Actor, alert_id: int, reason: str, key: MasterKey) -> int:
    """Seal them into the incident of the alert; returns its number. Raises NotFound, Invalid, Conflict."""
    looked, found = _found(alert_id)
    if looked.incident is None:
        raise Invalid("the alert belongs to no incident", "make one first")
    origin = f"packets kept by this platform, {looked.facts.first} to {looked.facts.last}"
    with services().database.write() as session:
        incidents.seal(session, key, actor, looked.incident.id, looked.name, found.pcap, reason=reason, origin=origin)
    return looked.incident.id


def _desk() -> PacketDesk:
    desk = services().packets
    assert desk is not None  # something was found
    return desk


def _found(alert_id: int) -> tuple[AlertPackets, Slice]:
    looked = look(alert_id)
    if looked.found is None or not looked.found.packets:
        raise NotFound(f"there are no packets of alert {alert_id}")
    return looked, looked.found


def _remember(actor: Actor, act: str, looked: AlertPackets, **more: Any) -> None:
    detail = {"packets": looked.facts.packets, "octets": looked.facts.octets, "first": looked.facts.first, **more}
    with services().database.write() as session:
        audit.append(session, actor, act, "alert", looked.alert.id, detail=detail)


def _text(nanoseconds: int) -> str:
    return timestamp_from_micros(nanoseconds // 1000) if nanoseconds else ""
