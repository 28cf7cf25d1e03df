"""``/api/v1/duty``: roster, who is on duty, hand-over, shift log, escalation."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from operations import clock
from operations.duty import escalation, handover, log, roster
from operations.duty.schema import Wish
from operations.duty.shifts import DAY_MINUTES, Shift, day_of, minutes_of, today
from operations.errors import Conflict
from soc_ui.api import duty_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

duty = APIBlueprint("api_duty", __name__, url_prefix="/api/v1/duty", tag="duty")
Body = dict[str, Any]


@duty.get("/roster")
@permit(duty, "duty.read")
@duty.input(schemas.RosterQueryIn, location="query", unknown=RAISE)
@duty.output(schemas.RosterOut)
def get_roster(query_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Read the roster

    The places of some days, from today where no first day is given, and its gaps. The ETag is that of the whole roster.
    """
    first = day_of(query_data["first"], "first") if query_data["first"] else today(clock.now())
    with services().database.read() as session:
        found = roster.get_roster(session, first, query_data["days"])
    shifts = [
        {"id": one.id, "name": one.name, "name_en": one.name_en, "begins": one.begins, "ends": one.ends} for one in found.shifts
    ]
    return msgspec.to_builtins(found) | {"shifts": shifts}, 200, {"ETag": f'"{found.revision}"'}


@duty.post("/roster")
@permit(duty, "duty.write")
@duty.input(IfMatchIn, location="headers")
@duty.input(schemas.PlacesIn)
@duty.output(schemas.FilledOut)
@duty.doc(responses=[412, 428])
def fill(headers_data: Body, json_data: Body) -> Body:
    """Fill places of the roster

    All or none. Nobody is at two places at the same time.
    """
    revision = expected_version(headers_data["if_match"])
    wishes = [Wish(**place) for place in json_data["places"]]
    try:
        with services().database.write() as session:
            filled = roster.plan(session, caller(), wishes, revision=revision, replace=json_data["replace"])
            return {"filled": filled, "revision": roster.revision_of(session)}
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error


@duty.delete("/roster/<int:place_id>")
@permit(duty, "duty.write")
@duty.input(IfMatchIn, location="headers")
@duty.output({}, status_code=204)
@duty.doc(responses=[404, 412, 428])
def clear(place_id: int, headers_data: Body) -> Response:
    """Take somebody off the roster"""
    revision = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            roster.clear(session, caller(), place_id, revision=revision)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return Response(status=204)


@duty.put("/shifts")
@permit(duty, "duty.write")
@duty.input(IfMatchIn, location="headers")
@duty.input(schemas.ShiftsIn)
@duty.output({}, status_code=204)
@duty.doc(responses=[412, 428])
def put_shifts(headers_data: Body, json_data: Body) -> Response:
    """Set the shifts of the day

    They do not overlap; places that are planned keep their hours. If-Match takes the ETag of the roster.
    """
    revision = expected_version(headers_data["if_match"])
    wanted = []
    for one in json_data["shifts"]:
        start = minutes_of(one["begins"])
        length = (minutes_of(one["ends"]) - start) % DAY_MINUTES or DAY_MINUTES
        wanted.append(Shift(one["id"], one["name"], one["name_en"], start, length))
    try:
        with services().database.write() as session:
            roster.set_shifts(session, caller(), wanted, revision=revision)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return Response(status=204)


@duty.get("/now")
@permit(duty, "duty.read")
@duty.output(schemas.OnDutyOut)
def now() -> Body:
    """Tell who is on duty

    Now and in the coming shift, in the order in which they are called.
    """
    with services().database.read() as session:
        return msgspec.to_builtins(roster.on_duty(session))  # type: ignore[no-any-return]


@duty.get("/handovers")
@permit(duty, "duty.read")
@duty.input(schemas.LogQueryIn, location="query", unknown=RAISE)
@duty.output(schemas.HandoverPageOut)
def list_handovers(query_data: Body) -> Body:
    """List hand-over notes

    Newest first.
    """
    with services().database.read() as session:
        found, cursor = handover.list_handovers(session, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"handovers": msgspec.to_builtins(found), "next_cursor": cursor}


@duty.get("/handovers/<int:handover_id>")
@permit(duty, "duty.read")
@duty.output(schemas.HandoverOut)
@duty.doc(responses=[404])
def get_handover(handover_id: int) -> tuple[Body, int, dict[str, str]]:
    """Read a hand-over note"""
    with services().database.read() as session:
        found = handover.get(session, handover_id)
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@duty.post("/handovers")
@permit(duty, "duty.write")
@duty.input(IfMatchIn, location="headers")
@duty.input(schemas.HandoverIn)
@duty.output(schemas.HandoverOut)
@duty.doc(responses=[403, 412, 428])
def write_handover(headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Hand over one's shift

    Writes the note, or changes it while nobody took it over. If-Match: "0" where there is none yet.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            found = handover.write(session, caller(), json_data["note"], expected_version=version)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@duty.post("/handovers/<int:handover_id>/acceptance")
@permit(duty, "duty.write")
@duty.input(IfMatchIn, location="headers")
@duty.input(schemas.AcceptIn)
@duty.output(schemas.HandoverOut)
@duty.doc(responses=[403, 404, 412, 428])
def accept(handover_id: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Take over a shift

    Somebody of the coming shift, never who wrote the note.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            found = handover.accept(session, caller(), handover_id, json_data["remark"], expected_version=version)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@duty.get("/log")
@permit(duty, "duty.read")
@duty.input(schemas.LogQueryIn, location="query", unknown=RAISE)
@duty.output(schemas.LogPageOut)
def read_log(query_data: Body) -> Body:
    """Read the shift log

    Newest first.
    """
    with services().database.read() as session:
        page = log.list_log(session, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"entries": msgspec.to_builtins(page.entries), "next_cursor": page.cursor}


@duty.post("/log")
@permit(duty, "duty.write")
@duty.input(schemas.LogIn)
@duty.output(schemas.LogOut, status_code=201)
def write_log(json_data: Body) -> Body:
    """Write into the shift log

    Nobody can change a line afterwards.
    """
    with services().database.write() as session:
        return msgspec.to_builtins(log.write(session, caller(), json_data["kind"], json_data["text"]))  # type: ignore[no-any-return]


@duty.get("/escalations")
@permit(duty, "duty.read")
@duty.input(schemas.EscalationQueryIn, location="query", unknown=RAISE)
@duty.output(schemas.EscalationsOut)
def list_escalations(query_data: Body) -> Body:
    """List escalations

    Newest first.
    """
    with services().database.read() as session:
        found = escalation.list_escalations(session, waiting=query_data["waiting"], limit=query_data["limit"])
    return {"escalations": msgspec.to_builtins(found)}


@duty.post("/escalations")
@permit(duty, "duty.write")
@duty.input(schemas.EscalationIn)
@duty.output(schemas.EscalationOut, status_code=201)
@duty.doc(responses=[404, 409])
def escalate(json_data: Body) -> Body:
    """Escalate to the next person

    Who is next on duty is told by webhook; what nobody has answered goes on to the one after.
    """
    with services().database.write() as session:
        row = escalation.escalate(session, caller(), json_data["kind"], json_data["id"], json_data["reason"])
    return msgspec.to_builtins(row)  # type: ignore[no-any-return]


@duty.post("/escalations/<int:escalation_id>/acknowledgement")
@permit(duty, "duty.write")
@duty.output(schemas.EscalationOut)
@duty.doc(responses=[403, 404, 409])
def acknowledge(escalation_id: int) -> Body:
    """Answer an escalation"""
    with services().database.write() as session:
        return msgspec.to_builtins(escalation.acknowledge(session, caller(), escalation_id))  # type: ignore[no-any-return]
