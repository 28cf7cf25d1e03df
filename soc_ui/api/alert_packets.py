"""``/api/v1/alerts/<id>/packets``: what is kept of the packets behind an alert. Taking them is written to the audit trail first."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response

from crypto.secret import MasterKey
from soc_ui.alerts import packets
from soc_ui.alerts.packet_views import PCAP
from soc_ui.api import alert_packet_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.download import as_attachment
from soc_ui.services import services

alert_packets = APIBlueprint("api_alert_packets", __name__, url_prefix="/api/v1/alerts/<int:alert_id>", tag="alerts")
Body = dict[str, Any]


@alert_packets.get("/packets")
@permit(alert_packets, "alerts.read")
@alert_packets.output(schemas.PacketFactsOut)
@alert_packets.doc(responses=[404, 503])
def facts(alert_id: int) -> Body:
    """Tell what is kept of the packets of an alert

    ``state``: ``found``, ``none``, ``no conversation`` (the event names no two addresses), ``no captures`` (none are kept here).
    """
    return msgspec.to_builtins(packets.look(alert_id).facts)  # type: ignore[no-any-return]


@alert_packets.get("/packets.pcap")
@permit(alert_packets, "events.export")
@alert_packets.output(FileSchema(type="string", format="binary"), content_type=PCAP)
@alert_packets.doc(responses=[404, 503])
def download(alert_id: int) -> Response:
    """Download the packets of an alert

    A classic pcap of both directions of its conversation. The download is audited.
    """
    looked, octets = packets.export(caller().actor, alert_id)
    return as_attachment(octets, looked.name, PCAP)  # type: ignore[return-value]


@alert_packets.post("/packets/evidence")
@permit(alert_packets, "incidents.write")
@alert_packets.input(schemas.PacketEvidenceIn)
@alert_packets.output(schemas.PacketEvidenceOut, status_code=201)
@alert_packets.doc(responses=[404, 409, 503])
def keep(alert_id: int, json_data: Body) -> Body:
    """Seal the packets of an alert

    As evidence of the incident that the alert belongs to.
    """
    return {"incident": packets.keep_as_evidence(caller().actor, alert_id, json_data["reason"], _key())}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it cannot seal evidence", "start it through ./liandun serve")
    return key
