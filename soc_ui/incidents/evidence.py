"""Forms of the tab of evidence: seal, hand on, copy, open."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from crypto.secret import MasterKey
from operations.errors import Conflict, Invalid
from operations.incidents import evidence_key, service
from operations.incidents.schema import EvidenceRecord
from soc_ui import access
from soc_ui.incidents import sealing
from soc_ui.incidents.acts import version
from soc_ui.incidents.files import as_file
from soc_ui.incidents.one import act, show
from soc_ui.incidents.refusals import explain
from soc_ui.services import services

incident_evidence = Blueprint("incident_evidence", __name__, url_prefix="/incidents/<int:incident_id>/evidence")
Answer = Response | tuple[str, int]


@incident_evidence.get("/authority.pem")
@access.needs("incidents.read")
def authority(incident_id: int) -> Answer:
    """The certificate with which a copy of a package is verified elsewhere."""
    with services().database.read() as session:
        service.get_incident(session, incident_id)
        return as_file("evidence", "pem", evidence_key.authority(session).encode())


@incident_evidence.post("/events")
@access.needs("incidents.write")
def seal_events(incident_id: int) -> Answer:
    """The events of its alerts."""
    try:
        sealing.seal_events(access.me().actor, incident_id, request.form.get("reason", ""), _key())
    except (Invalid, Conflict) as error:
        return show(incident_id, "evidence", explain(error)), 422
    return redirect(url_for("incidents.tab", incident_id=incident_id, name="evidence", done="incident"))


@incident_evidence.post("")
@access.needs("incidents.write")
def seal(incident_id: int) -> Answer:
    """A file that somebody brings. Its name is only told, never used as one."""
    key, form, sent = _key(), request.form, request.files.get("file")
    payload = sent.stream.read() if sent else b""
    told = {"reason": form.get("reason", ""), "origin": form.get("origin", "")}
    name = form.get("name", "") or (sent.filename if sent and sent.filename else "")
    return act(
        incident_id,
        "evidence",
        lambda session: service.seal(session, key, access.me().actor, incident_id, name, payload, **told),
    )


@incident_evidence.post("/<int:evidence_id>")
@access.needs("incidents.write")
def hand_on(incident_id: int, evidence_id: int) -> Answer:
    """A link of the custody record."""
    key, form = _key(), request.form
    return act(
        incident_id,
        "evidence",
        lambda session: service.hand_on(
            session,
            key,
            access.me().actor,
            incident_id,
            evidence_id,
            form.get("action", ""),
            form.get("reason", ""),
            expected_version=version(),
        ),
    )


@incident_evidence.post("/<int:evidence_id>/copy")
@access.needs("incidents.write")
def copy(incident_id: int, evidence_id: int) -> Answer:
    """The sealed package."""
    key, me, reason = _key(), access.me(), request.form.get("reason", "")
    return _file(
        incident_id, "evidence", lambda session: service.copy_evidence(session, key, me.actor, incident_id, evidence_id, reason)
    )


@incident_evidence.post("/<int:evidence_id>/open")
@access.needs("incidents.write")
def open_payload(incident_id: int, evidence_id: int) -> Answer:
    """What was sealed."""
    key, me, reason = _key(), access.me(), request.form.get("reason", "")
    return _file(incident_id, "bin", lambda session: service.open_payload(session, key, me.actor, incident_id, evidence_id, reason))


def _file(incident_id: int, form: str, work: Callable[[Session], tuple[EvidenceRecord, bytes]]) -> Answer:
    try:
        with services().database.write() as session:
            record, octets = work(session)
    except (Invalid, Conflict) as error:
        return show(incident_id, "evidence", explain(error)), 422
    return as_file(record.evidence, form, octets)


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        abort(503)
    return key
