"""``/api/v1/incidents``: incidents, who decides what about them, and their alerts."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.incidents import service
from operations.incidents.catalogue import classes, data
from operations.incidents.schema import Change, Decision, IncidentFilter, IncidentRow, NewIncident
from soc_ui.api import incident_schemas as schemas
from soc_ui.api.alert_schemas import AlertPageOut
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

incidents = APIBlueprint("api_incidents", __name__, url_prefix="/api/v1/incidents", tag="incidents")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@incidents.get("")
@permit(incidents, "incidents.read")
@incidents.input(schemas.IncidentListIn, location="query", unknown=RAISE)
@incidents.output(schemas.IncidentPageOut)
def list_incidents(query_data: Body) -> Body:
    """List incidents

    Values of one parameter are alternatives, parameters narrow each other. ``sort=due`` puts the earliest deadline first.
    """
    where = incident_filter(query_data)
    with services().database.read() as session:
        page = service.list_incidents(
            session, where, sort=query_data["sort"], limit=query_data["limit"], cursor=query_data["cursor"]
        )
        total = service.count_incidents(session, where) if query_data["count"] else None
    body: Body = {"incidents": msgspec.to_builtins(page.incidents), "next_cursor": page.cursor, "hidden": page.hidden}
    return body | ({"total": total.count, "total_exact": total.exact} if total else {})


@incidents.get("/facets")
@permit(incidents, "incidents.read")
@incidents.input(schemas.IncidentFilterIn, location="query", unknown=RAISE)
@incidents.output(schemas.IncidentFacetsOut)
def facets(query_data: Body) -> Body:
    """Count incidents by facet"""
    with services().database.read() as session:
        found = service.facets(session, incident_filter(query_data))
    return {"facets": {name: [{"value": value, "count": count} for value, count in values] for name, values in found.items()}}


@incidents.get("/classification")
@permit(incidents, "incidents.read")
@incidents.output(schemas.ClassificationOut)
def classification() -> Body:
    """Read classes and grading

    Incident classes after GB/T 20986-2023 and the matrix of levels, with what is still to be confirmed.
    """
    table = data("classification")
    kept = {name: table[name] for name in ("standard", "to_be_confirmed", "source", "matrix", "harm")}
    return {**kept, "classes": [msgspec.to_builtins(one) for one in classes().values()]}


@incidents.get("/deadlines")
@permit(incidents, "incidents.read")
@incidents.output(schemas.DeadlinesOut)
def deadlines() -> Body:
    """Read the deadlines in force

    In minutes, each with where it comes from and whether it is still to be confirmed.
    """
    with services().database.read() as session:
        return {"deadlines": service.deadline_table(session)}


@incidents.put("/deadlines/<key>")
@permit(incidents, "incidents.decide")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.DeadlineIn)
@incidents.output(schemas.DeadlinesOut)
@incidents.doc(responses=[404, 412, 428])
def set_deadline(key: str, headers_data: Body, json_data: Body) -> Body:
    """Set or confirm a deadline

    Running clocks follow it. Not for accounts with a scope. The ETag is the version of the deadline, 0 where nobody has set it.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        table = service.deadline_table(session)
        now = next((one["version"] for one in table if one["key"] == key), 0) if version is None else version
        service.set_deadline(session, caller().actor, key, **json_data, expected_version=now)
        return {"deadlines": service.deadline_table(session)}


@incidents.get("/metrics")
@permit(incidents, "incidents.read")
@incidents.input(schemas.PeriodIn, location="query", unknown=RAISE)
@incidents.output(schemas.MetricsOut)
def metrics(query_data: Body) -> Body:
    """Measure how quick the response is

    MTTD, MTTA, MTTR over the incidents of a period; drills, false alarms and merged incidents are left out.
    """
    with services().database.read() as session:
        return msgspec.to_builtins(service.metrics(session, **query_data))  # type: ignore[no-any-return]


@incidents.post("")
@permit(incidents, "incidents.write")
@incidents.input(schemas.IncidentIn)
@incidents.output(schemas.IncidentOut, status_code=201)
@incidents.doc(responses=[404, 409])
def create_incident(json_data: Body) -> Answer:
    """Make an incident

    From alerts, which bring their zones, indicators and assets along, or by hand.
    """
    json_data["alert_ids"] = tuple(json_data.pop("alerts"))
    with services().database.write() as session:
        row = service.create_incident(session, caller().actor, NewIncident(**_tuples(json_data)))
    return _answer(row, 201)


@incidents.get("/<int:incident_id>")
@permit(incidents, "incidents.read")
@incidents.output(schemas.IncidentDetailOut)
@incidents.doc(responses=[404])
def get_incident(incident_id: int) -> Answer:
    """Read one incident

    The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        detail = service.get_detail(session, incident_id)
    return msgspec.to_builtins(detail), 200, {"ETag": f'"{detail.incident.version}"'}


@incidents.patch("/<int:incident_id>")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.IncidentChangeIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def change_incident(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change an incident"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        change = Change(**_tuples(json_data))
        return _answer(service.change_incident(session, caller().actor, incident_id, change, expected_version=version))


@incidents.post("/<int:incident_id>/acknowledge")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def acknowledge(incident_id: int, headers_data: Body) -> Answer:
    """Take an incident"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.acknowledge(session, caller().actor, incident_id, caller().name, expected_version=version))


@incidents.post("/<int:incident_id>/decision")
@permit(incidents, "incidents.decide")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.DecisionIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def decide(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Decide class and level

    For people only: no key can have this permission.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        decision = Decision(**json_data)
        return _answer(service.decide(session, caller().actor, incident_id, decision, expected_version=version))


@incidents.post("/<int:incident_id>/phase")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.PhaseIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def move(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Go to another phase

    Closing and opening again need the permission incidents.decide.
    """
    version, may_close = expected_version(headers_data["if_match"]), caller().may("incidents.decide")
    with services().database.write() as session:
        return _answer(
            service.move(session, caller().actor, incident_id, **json_data, may_close=may_close, expected_version=version)
        )


@incidents.post("/<int:incident_id>/pause")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.PauseIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def pause(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Let the SLA clocks stand still

    Statutory clocks go on.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.pause(session, caller().actor, incident_id, json_data["reason"], expected_version=version))


@incidents.post("/<int:incident_id>/resume")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def resume(incident_id: int, headers_data: Body) -> Answer:
    """Let the SLA clocks run again"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.resume(session, caller().actor, incident_id, expected_version=version))


@incidents.post("/<int:incident_id>/merge")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.MergeIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def merge(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Merge another incident into this one"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.merge(session, caller().actor, incident_id, json_data["other"], expected_version=version))


@incidents.get("/<int:incident_id>/alerts")
@permit(incidents, "incidents.read")
@incidents.output(AlertPageOut)
@incidents.doc(responses=[404])
def list_alerts(incident_id: int) -> Body:
    """List the alerts of an incident

    The newest 500 that the caller may see.
    """
    with services().database.read() as session:
        return {"alerts": msgspec.to_builtins(service.alerts_of(session, incident_id)), "next_cursor": ""}


@incidents.post("/<int:incident_id>/alerts")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.input(schemas.AlertIdsIn)
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def add_alerts(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Add alerts"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.add_alerts(session, caller().actor, incident_id, json_data["alerts"], expected_version=version))


@incidents.delete("/<int:incident_id>/alerts/<int:alert_id>")
@permit(incidents, "incidents.write")
@incidents.input(IfMatchIn, location="headers")
@incidents.output(schemas.IncidentOut)
@incidents.doc(responses=[404, 409, 412, 428])
def remove_alert(incident_id: int, alert_id: int, headers_data: Body) -> Answer:
    """Take an alert out"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.remove_alert(session, caller().actor, incident_id, alert_id, expected_version=version))


def incident_filter(query: Body) -> IncidentFilter:
    """The filter of query parameters."""
    names = ("phase", "level", "severity", "class_code", "zone", "assignee")
    rest = {name: query[name] for name in ("clock", "drill", "text", "start", "end")}
    return IncidentFilter(**{name: tuple(query[name]) for name in names}, **rest)


def _tuples(values: Body) -> Body:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _answer(row: IncidentRow, status: int = 200) -> Answer:
    return msgspec.to_builtins(row), status, {"ETag": f'"{row.version}"'}
