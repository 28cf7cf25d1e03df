"""The list of incidents (``/incidents``), and making one from alerts or by hand (``/incidents/new``)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.detection import level_rank
from operations.alerts import service as alerts
from operations.alerts.schema import AlertRow
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import service
from operations.incidents.models import ORIGINS
from operations.incidents.schema import NewIncident
from operations.zones import service as zones
from soc_ui import access, times
from soc_ui.alerts import filters as alert_filters
from soc_ui.incidents import filters, words
from soc_ui.incidents.refusals import explain
from soc_ui.numbers import row_id
from soc_ui.preferences import local_path
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames
from soc_ui.zones.problems import Problem

PAGE_ROWS = 50
SHOWN_ALERTS = 20
incidents = Blueprint("incidents", __name__)


@incidents.get("/incidents")
@access.needs("incidents.read")
def page() -> str:
    """The table with its facets. The bare address shows everything open."""
    where, order = filters.read(request.args), filters.sort(request.args)
    with services().database.read() as session:
        found = service.list_incidents(session, where, sort=order, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        facets, total = service.facets_and_count(session, where)
        context: dict[str, Any] = {
            "facets": facets,
            "total": total,
            "anything": bool(found.incidents) or service.count_incidents(session).count > 0,
            "zone_name": ZoneNames(record.zone for record in zones.list_zones(session)),
        }
    return render_template(
        "incidents/list.html", page=found, where=where, sort=order, links=filters.links(request.args), w=words,
        unassigned=service.UNASSIGNED, **context,
    )  # fmt: skip


@incidents.get("/incidents/new")
@access.needs("incidents.write")
def new() -> str:
    """The form, empty or with the alerts that the address names (``?alert=``)."""
    return _form(request.args.getlist("alert", type=row_id)[: service.MAX_ALERTS])


@incidents.post("/incidents/new")
@access.needs("incidents.write")
def draft() -> str:
    """The form with the alerts that were selected in the queue (or all that match its filter)."""
    ids = request.form.getlist("ids", type=row_id)[: service.MAX_ALERTS]
    if ids and request.form.get("everything"):
        args = MultiDict(parse_qsl(urlsplit(local_path(request.form.get("next", "/alerts"))).query))
        where = alert_filters.read(args, times.window(args, default=times.EVERYTHING))
        with services().database.read() as session:
            ids = alerts.matching_ids(session, where, service.MAX_ALERTS)
    return _form(ids)


@incidents.post("/incidents")
@access.needs("incidents.write")
def create() -> Response | tuple[str, int]:
    """Make the incident of the form, or add its alerts to the incident that was chosen there."""
    form = request.form
    ids = form.getlist("ids", type=row_id)[: service.MAX_ALERTS]
    try:
        with services().database.write() as session:
            into = form.get("into", type=row_id)
            if into:
                made = service.add_alerts(session, access.me().actor, into, ids)
            else:
                made = service.create_incident(session, access.me().actor, _wanted(ids))
    except (Invalid, Conflict, NotFound, times.TimeRangeError) as error:
        return _form(ids, explain(error)), 422
    return redirect(url_for("incidents.one", incident_id=made.id, done="incident_made" if not into else "incident"))


def organisations(text: str) -> tuple[str, ...]:
    """One a line, or separated by commas; a name may have blanks."""
    return tuple(dict.fromkeys(name.strip() for name in re.split(r"[\n,，、;；]", text) if name.strip()))


def _wanted(ids: list[int]) -> NewIncident:
    form = request.form
    return NewIncident(
        title=form.get("title", ""),
        description=form.get("description", ""),
        origin=form.get("origin", "hotline"),
        reporter=form.get("reporter", ""),
        drill=form.get("drill") == "1",
        severity=form.get("severity", "medium"),
        operator=form.get("operator", "other"),
        assignee=form.get("assignee", ""),
        zones=tuple(form.getlist("zones")),
        organisations=organisations(form.get("organisations", "")),
        occurred_at=times.typed(form.get("occurred_at", "")),
        detected_at=times.typed(form.get("detected_at", "")),
        alert_ids=tuple(ids),
    )


def _form(ids: list[int], wrong: list[Problem] | None = None) -> str:
    with services().database.read() as session:
        shown = _alerts(session, ids[:SHOWN_ALERTS])
        plan = zones.list_zones(session)
        context: dict[str, Any] = {"people": service.assignable(session), "open": open_incidents(session) if ids else []}
    worst = max((alert.level for alert in shown), key=level_rank, default="medium")
    return render_template(
        "incidents/new.html", ids=ids, shown=shown, wrong=wrong or [], w=words, worst=worst, origins=ORIGINS, plan=plan,
        zone_name=ZoneNames(record.zone for record in plan), value=request.form, **context,
    )  # fmt: skip


def _alerts(session: Session, ids: list[int]) -> list[AlertRow]:
    """Those that may be seen; whether the others exist is no one's business here."""
    found = []
    for number in ids:
        try:
            found.append(alerts.get_alert(session, number))
        except NotFound:
            continue
    return found


def open_incidents(session: Session) -> list[tuple[int, str]]:
    """Ids and names of the newest open incidents, to add alerts to or merge."""
    return [(number, f"{name} {title}") for number, name, title in service.open_names(session, 100)]
