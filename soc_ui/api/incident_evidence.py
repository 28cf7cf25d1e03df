"""``/api/v1/incidents/<id>/evidence``: sealed packages with their chain of custody."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response

from crypto.secret import MasterKey
from operations.errors import Invalid
from operations.incidents import service
from soc_ui.api import incident_report_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.incidents import sealing
from soc_ui.incidents.files import as_file
from soc_ui.services import services

incident_evidence = APIBlueprint(
    "api_incident_evidence", __name__, url_prefix="/api/v1/incidents/<int:incident_id>/evidence", tag="incidents"
)
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@incident_evidence.get("")
@permit(incident_evidence, "incidents.read")
@incident_evidence.output(schemas.EvidenceListOut)
@incident_evidence.doc(responses=[404])
def list_evidence(incident_id: int) -> Body:
    """List the evidence"""
    with services().database.read() as session:
        shown, hidden = service.list_evidence(session, incident_id)
    return {"evidence": msgspec.to_builtins(shown), "hidden": hidden}


@incident_evidence.get("/<int:evidence_id>")
@permit(incident_evidence, "incidents.read")
@incident_evidence.output(schemas.EvidenceOut)
@incident_evidence.doc(responses=[404])
def verify(incident_id: int, evidence_id: int) -> Answer:
    """Verify one piece of evidence

    With its custody record; ``problem`` says what is wrong with it.
    """
    with services().database.read() as session:
        return _answer(service.verify(session, incident_id, evidence_id))


@incident_evidence.post("/events")
@permit(incident_evidence, "incidents.write")
@incident_evidence.input(schemas.EvidenceReasonIn)
@incident_evidence.output(schemas.EvidenceOut, status_code=201)
@incident_evidence.doc(responses=[404, 409])
def seal_events(incident_id: int, json_data: Body) -> Answer:
    """Seal the events of its alerts

    At most 2,000, as they lie in the event store.
    """
    return _answer(sealing.seal_events(caller().actor, incident_id, json_data["reason"], _key()), 201)


@incident_evidence.post("")
@permit(incident_evidence, "incidents.write")
@incident_evidence.input(schemas.EvidenceIn)
@incident_evidence.output(schemas.EvidenceOut, status_code=201)
@incident_evidence.doc(responses=[404, 409])
def seal(incident_id: int, json_data: Body) -> Answer:
    """Seal a file"""
    try:
        payload = base64.b64decode(json_data.pop("content"), validate=True)
    except binascii.Error as error:
        raise Invalid("content is no Base64", field="content") from error
    name, key = json_data.pop("name"), _key()
    with services().database.write() as session:
        return _answer(service.seal(session, key, caller().actor, incident_id, name, payload, **json_data), 201)


@incident_evidence.post("/<int:evidence_id>/links")
@permit(incident_evidence, "incidents.write")
@incident_evidence.input(IfMatchIn, location="headers")
@incident_evidence.input(schemas.CustodyIn)
@incident_evidence.output(schemas.EvidenceOut)
@incident_evidence.doc(responses=[404, 409, 412, 428])
def hand_on(incident_id: int, evidence_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Add a link to the custody record"""
    version, key = expected_version(headers_data["if_match"]), _key()
    action, reason = json_data["action"], json_data["reason"]
    with services().database.write() as session:
        actor = caller().actor
        return _answer(service.hand_on(session, key, actor, incident_id, evidence_id, action, reason, expected_version=version))


@incident_evidence.post("/<int:evidence_id>/copy")
@permit(incident_evidence, "incidents.write")
@incident_evidence.input(schemas.EvidenceReasonIn)
@incident_evidence.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@incident_evidence.doc(responses=[404, 409])
def copy(incident_id: int, evidence_id: int, json_data: Body) -> Response:
    """Copy the sealed package

    ``liandun evidence verify`` checks it; the copy stands in its custody record.
    """
    key = _key()
    with services().database.write() as session:
        record, octets = service.copy_evidence(session, key, caller().actor, incident_id, evidence_id, json_data["reason"])
    return as_file(record.evidence, "evidence", octets)


@incident_evidence.post("/<int:evidence_id>/open")
@permit(incident_evidence, "incidents.write")
@incident_evidence.input(schemas.EvidenceReasonIn)
@incident_evidence.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@incident_evidence.doc(responses=[404, 409])
def open_payload(incident_id: int, evidence_id: int, json_data: Body) -> Response:
    """Open a piece of evidence

    The answer is what was sealed; that it was opened stands in its custody record.
    """
    key = _key()
    with services().database.write() as session:
        record, octets = service.open_payload(session, key, caller().actor, incident_id, evidence_id, json_data["reason"])
    return as_file(record.evidence, "bin", octets)


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it cannot seal evidence", "start it through ./liandun serve")
    return key


def _answer(record: Any, status: int = 200) -> Answer:
    return msgspec.to_builtins(record), status, {"ETag": f'"{record.version}"'}
