"""``/tickets``: the boxes 待阅/待办/在办/办结/打回; ``/tickets/new``; ``/tickets/<id>``: one ticket and its acts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.alerts import service as alerts
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import candidates, organisations_seen, owners
from operations.tickets import service
from operations.tickets.models import KINDS, LEVELS, STATES
from operations.tickets.schema import TicketDetail
from operations.zones import service as zones
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.rule_titles import rule_title
from soc_ui.services import services
from soc_ui.tickets import forms
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
FILTERS = ("kind", "level", "bureau", "mine", "overdue", "q", "about")
tickets = Blueprint("tickets", __name__)


@tickets.get("/tickets")
@access.needs("tickets.read")
def page() -> str:
    """The list: ``state`` (box), FILTERS, ``sort`` (updated or due), ``cursor``."""
    where = forms.filter_from(request.args, access.me().name)
    sort = "due" if request.args.get("sort") == "due" else "updated"
    with services().database.read() as session:
        found = service.list_tickets(session, where, sort=sort, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        boxes = service.count_boxes(session, where)
        hidden = service.count_hidden(session, where.state)
        organisations = _organisations(session)
    return render_template(
        "tickets/list.html", page=found, where=where, sort=sort, boxes=boxes, hidden=hidden, states=STATES, kinds=KINDS,
        levels=LEVELS, organisations=organisations, links=Links(request.path, request.args, FILTERS),
    )  # fmt: skip


@tickets.get("/tickets/new")
@access.needs("tickets.write")
def new() -> str:
    """The form, filled in from an alert where ``alert`` names one that may be seen."""
    return _new_page(_from_alert(request.args.get("alert", 0, row_id)))


@tickets.post("/tickets")
@access.needs("tickets.write")
def create() -> Response | tuple[str, int]:
    """Open a ticket from the form."""
    try:
        with services().database.write() as session:
            made = service.create(session, access.me(), forms.draft_from(request.form))
    except (Invalid, Denied) as error:
        return _new_page(request.form, error), refusals.status(error)
    return redirect(url_for("tickets.one", ticket_id=made.id, done="ticket_opened"))


@tickets.get("/tickets/<int:ticket_id>")
@access.needs("tickets.read")
def one(ticket_id: int) -> str:
    """One ticket."""
    return _ticket_page(ticket_id)


@tickets.post("/tickets/<int:ticket_id>")
@access.needs("tickets.write")
def act(ticket_id: int) -> Response | tuple[str, int]:
    """One act of operations.tickets.rules; refused where somebody else was quicker."""
    try:
        given = forms.act_from(request.form)
        version = request.form.get("version", 0, row_id)
        with services().database.write() as session:
            service.act(session, access.me(), ticket_id, given, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _ticket_page(ticket_id, error), refusals.status(error)
    return redirect(url_for("tickets.one", ticket_id=ticket_id, done="ticket"))


@tickets.post("/tickets/<int:ticket_id>/comments")
@access.needs("tickets.write")
def comment(ticket_id: int) -> Response | tuple[str, int]:
    """A comment into the history."""
    try:
        with services().database.write() as session:
            service.add_comment(session, access.me(), ticket_id, request.form.get("note", ""))
    except Invalid as error:
        return _ticket_page(ticket_id, error), 422
    return redirect(url_for("tickets.one", ticket_id=ticket_id, done="note"))


@tickets.post("/tickets/<int:ticket_id>/attachments")
@access.needs("tickets.write")
def attach(ticket_id: int) -> Response | tuple[str, int]:
    """Keep a text with the ticket."""
    try:
        name, text = forms.attachment_from(request.form, request.files.get("file"))
        with services().database.write() as session:
            service.add_attachment(session, access.me(), ticket_id, name, text)
    except Invalid as error:
        return _ticket_page(ticket_id, error), 422
    return redirect(url_for("tickets.one", ticket_id=ticket_id, done="attached"))


@tickets.get("/tickets/<int:ticket_id>/attachments/<int:attachment_id>")
@access.needs("tickets.read")
def attachment(ticket_id: int, attachment_id: int) -> Response:
    """The text of an attachment, to be kept as a file: never shown as a page of ours."""
    with services().database.read() as session:
        name, text = service.get_attachment(session, ticket_id, attachment_id)
    return as_attachment(text.encode(), name, "text/plain; charset=utf-8")


def _ticket_page(ticket_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        detail = service.get_detail(session, access.me(), ticket_id)
        people = _people(session, detail)
        organisations = _organisations(session)
        name = ZoneNames(record.zone for record in zones.list_zones(session))
    return render_template(
        "tickets/one.html", detail=detail, ticket=detail.ticket, people=people, organisations=organisations, zone_name=name,
        levels=LEVELS, wrong=refusals.explain(error) if error else [], max_attachment=service.MAX_ATTACHMENT,
        typed=request.form if error else {},
    )  # fmt: skip


def _new_page(value: MultiDict[str, str], error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        organisations = _organisations(session)
        known = [record.zone for record in zones.list_zones(session)]
        ours = organisations_seen(session)
    return render_template(
        "tickets/new.html", value=value, chosen=set(value.getlist("zones")), organisations=organisations,
        operator=ours is None, zones=sorted(known, key=lambda zone: zone.id), zone_name=ZoneNames(known), kinds=KINDS,
        levels=LEVELS, wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _from_alert(alert_id: int) -> MultiDict[str, str]:
    """What a ticket about an alert begins with. Raises NotFound for an alert that may not be seen."""
    value: MultiDict[str, str] = MultiDict({"kind": "remediation", "level": "medium"})
    if not alert_id or not access.me().may("alerts.read"):
        return value
    with services().database.read() as session:
        detail = alerts.get_detail(session, alert_id)
        owned = owners(session)
    row = detail.alert
    named = [entity.value for entity in detail.entities if entity.kind == "zone"]
    value["title"] = f"{rule_title(row.rule_id, row.rule_name)} {row.host or row.source_ip or ''}".strip()[:200]
    value["level"] = row.level if row.level in LEVELS else "low"
    value["links"] = f"alert:{row.id}"
    value.setlist("zones", named)
    found = {owner for owner, ids in owned.items() if ids & set(named)}
    if len(found) == 1:
        value["bureau"] = found.pop()
    return value


def _organisations(session: Session) -> list[str]:
    """Those that this person may address or filter by."""
    ours = organisations_seen(session)
    return sorted(owners(session) if ours is None else ours)


def _people(session: Session, detail: TicketDetail) -> dict[str, list[Any]]:
    """Organisation → who of it can be given the ticket; the operator picks among all, a bureau among its own."""
    wanted = {detail.ticket.bureau}
    if "transfer" in detail.acts and organisations_seen(session) is None:
        wanted |= {"", *owners(session)}
    if not {"transfer", "delegate"} & set(detail.acts):
        return {}
    found = frozenset(detail.zones)
    return {name: candidates(session, "tickets.write", name, found) for name in sorted(wanted)}
