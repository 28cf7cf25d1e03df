"""The page of one incident with its tabs (``/incidents/<id>/<tab>``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from operations.errors import Conflict, Invalid, Stale
from operations.incidents import catalogue, service
from operations.incidents.models import ASSET_KINDS, INDICATOR_KINDS
from operations.incidents.phases import OPEN, PHASES, early_close, ways
from operations.incidents.schema import IncidentDetail
from operations.incidents.timeline import WRITTEN
from operations.zones import service as zones
from soc_ui import access, times
from soc_ui.incidents import words
from soc_ui.incidents.refusals import explain
from soc_ui.incidents.views import incidents, open_incidents
from soc_ui.playbooks.caused import caused
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames
from soc_ui.zones.problems import Problem


def tabs() -> tuple[str, ...]:
    return ("summary", "timeline", "tasks", "indicators", "assets", "evidence", "reports")


@incidents.get("/incidents/<int:incident_id>")
@access.needs("incidents.read")
def one(incident_id: int) -> str:
    """The summary: state, clocks, decision, alerts."""
    return show(incident_id, "summary")


@incidents.get("/incidents/<int:incident_id>/<name>")
@access.needs("incidents.read")
def tab(incident_id: int, name: str) -> str:
    """Another tab."""
    if name not in tabs() or name == "summary":
        abort(404)
    return show(incident_id, name)


def show(incident_id: int, name: str, wrong: list[Problem] | None = None) -> str:
    """The page with one tab open, and what was wrong with the form that was sent."""
    with services().database.read() as session:
        detail = service.get_detail(session, incident_id)
        context = _CONTEXT[name](session, detail)
        plan = zones.list_zones(session)
        counts = {
            "tasks": len([task for task in service.list_tasks(session, incident_id) if task.status in ("open", "doing")]),
        }
    return render_template(
        f"incidents/{name}.html", detail=detail, incident=detail.incident, tab=name, tabs=tabs(), wrong=wrong or [], w=words,
        counts=counts, plan=plan, zone_name=ZoneNames(record.zone for record in plan), phases=PHASES, **context,
    )  # fmt: skip


def act(incident_id: int, name: str, work: Callable[[Session], object]) -> Response | tuple[str, int]:
    """Do ``work`` in a transaction and come back to the tab ``name``; a refusal is shown there."""
    here = url_for("incidents.one", incident_id=incident_id)
    here = here if name == "summary" else f"{here}/{name}"
    try:
        with services().database.write() as session:
            work(session)
    except Stale:
        return redirect(f"{here}?done=incident_conflict")
    except (Invalid, Conflict, times.TimeRangeError) as error:
        return show(incident_id, name, explain(error)), 422
    return redirect(f"{here}?done=incident")


def _summary(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    row = detail.incident
    table = catalogue.data("classification")
    may_close = access.me().may("incidents.decide")
    next_phases = [phase for phase in ways(row.phase) if phase != "closed" and (row.phase != "closed" or may_close)]
    return {
        "alerts": service.alerts_of(session, row.id, limit=100),
        "caused": caused(session, "incident", row.id),
        "people": service.assignable(session),
        "classes": catalogue.subclasses(),
        "parents": {code: one for code, one in catalogue.classes().items() if len(code) == 2},
        "classification": table,
        "deadlines": {one["key"]: one for one in service.deadline_table(session)},
        "next_phases": next_phases,
        "may_close": may_close and row.phase != "closed",
        "causes": [cause for cause in words.causes() if _closes(detail, cause)],
        "others": [pair for pair in open_incidents(session) if pair[0] != row.id],
    }


def _closes(detail: IncidentDetail, cause: str) -> bool:
    row = detail.incident
    if cause == "duplicate" or (cause == "exercise" and not row.drill):
        return False
    return row.phase == "review" or early_close(row.phase, cause)


def _timeline(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    chosen = [kind for kind in request.args.getlist("kind") if kind in words.kinds()]
    return {"entries": service.entries(session, detail.incident.id, kinds=chosen), "chosen": chosen, "written": WRITTEN}


def _tasks(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    return {
        "tasks": service.list_tasks(session, detail.incident.id),
        "people": service.assignable(session),
        "task_phases": OPEN,
        "title_of": service.title_of,
    }


def _indicators(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    found = service.list_indicators(session, detail.incident.id)
    watched = service.watched(session, found) if access.me().may("intel.read") else {}
    return {"indicators": found, "kinds": INDICATOR_KINDS, "watched": watched}


def _assets(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    shown, hidden = service.list_assets(session, detail.incident.id)
    return {"assets": shown, "hidden_assets": hidden, "asset_kinds": ASSET_KINDS}


def _evidence(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    shown, hidden = service.list_evidence(session, detail.incident.id)
    return {"pieces": [service.verify(session, detail.incident.id, one.id) for one in shown], "hidden_pieces": hidden}


def _reports(session: Session, detail: IncidentDetail) -> dict[str, Any]:
    number = detail.incident.id
    shown, hidden = service.list_reports(session, number)
    return {
        "reports": shown,
        "hidden_reports": hidden,
        "review": service.get_review(session, number),
        "actions": service.list_actions(session, number),
        "recipient": catalogue.data("deadlines")["recipients"][detail.incident.operator][words.language()],
        "report_data": catalogue.data("report"),
    }


_CONTEXT: dict[str, Callable[[Session, IncidentDetail], dict[str, Any]]] = {
    "summary": _summary,
    "timeline": _timeline,
    "tasks": _tasks,
    "indicators": _indicators,
    "assets": _assets,
    "evidence": _evidence,
    "reports": _reports,
}
