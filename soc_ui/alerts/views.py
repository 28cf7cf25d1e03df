"""The queue (``/alerts``), bulk acts on it with undo, and the page of one alert (``/alerts/<id>``)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.event import Event
from operations.accounts.service import assignable
from operations.alerts import service
from operations.alerts.models import ENTITY_KINDS, SUPPRESSED
from operations.alerts.schema import UNASSIGNED, AlertDetail, AlertFilter, AlertRow, Entity, Facet, FacetValue
from operations.errors import Conflict, Invalid
from operations.incidents.reading import incident_of_alert
from operations.zones import service as zones
from soc_ui import access, times
from soc_ui.alerts import filters, rule_source, triage, view_pages
from soc_ui.alerts.cards import cards
from soc_ui.alerts.known import known_indicators
from soc_ui.alerts.packet_desk import conversation_of
from soc_ui.alerts.told import told
from soc_ui.alerts.whole_event import whole_event
from soc_ui.event_view import grouped, raw_record
from soc_ui.incidents import words as incident_words
from soc_ui.locale import ngettext
from soc_ui.numbers import row_id
from soc_ui.playbooks.caused import caused
from soc_ui.preferences import local_path
from soc_ui.rule_titles import rule_text
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
SIMILAR = 6
MOST_ENTITIES = 14
alerts = Blueprint("alerts", __name__)


@alerts.get("/alerts")
@access.needs("alerts.read")
def queue() -> Response | str:
    """The table with its facets. The bare address is the default view: everything open. Raises NotFound for an unknown view."""
    if not request.args:
        return redirect(url_for("alerts.queue", status=list(filters.OPEN)))
    with services().database.read() as session:
        views = service.list_views(session, access.me())
        args = view_pages.asked(session)
        window = times.window(args, default=times.EVERYTHING)
        where = filters.read(args, window)
        oldest_first = args.get("order") == "oldest"
        latest = service.latest_id(session)
        context: dict[
            str, Any
        ] = {  # the count finds most of the alerts, and the page the least: each finds what the next one needs
            "total": service.count_alerts(session, where),
            "facets": service.facets(session, where, quick=True),
            "latest": latest,
            "people": assignable(session),
            "sample": service.sample_size(session, where),
            "anything": latest > 0,
        }
        page_ = service.list_alerts(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""), oldest_first=oldest_first)
    links = filters.Links(request.path, args)
    here = links.with_(cursor=args.get("cursor") or None)
    tabs = view_pages.tabs(args, views)
    return render_template(
        "alerts/queue.html", page=page_, where=where, window=window, links=links, here=here, oldest_first=oldest_first,
        presets=times.PRESETS, unassigned=UNASSIGNED, most=service.MOST, tabs=tabs,
        hidden=_hidden(context["facets"], where), **context,
    )  # fmt: skip


@alerts.get("/alerts/facet/<dimension>")
@access.needs("alerts.read")
def facet(dimension: str) -> str:
    """One facet of the queue that its page did not wait for, as a part of that page."""
    if dimension not in service.DIMENSIONS:
        abort(404)
    with services().database.read() as session:
        args = view_pages.asked(session)
        where = filters.read(args, times.window(args, default=times.EVERYTHING))
        found = service.facets(session, where, (dimension,))[0]
    links = filters.Links(url_for("alerts.queue"), args)
    return render_template("alerts/facet.html", facet=found, links=links, unassigned=UNASSIGNED)


@alerts.get("/alerts/new")
@access.needs("alerts.read")
def newer() -> Response:
    """How many matching alerts were made since the page was (``after=``), for the bar above the table."""
    with services().database.read() as session:
        args = view_pages.asked(session)
        where = filters.read(args, times.window(args, default=times.EVERYTHING))
        found = service.new_since(session, where, request.args.get("after", 0, row_id))
    text = ngettext("%(num)d new alert: show it", "%(num)d new alerts: show them", found.count)
    return jsonify(count=found.count, text=text)


@alerts.post("/alerts/bulk")
@access.needs("alerts.write")
def bulk() -> Response:
    """One act on the selected alerts, done at once with an undo; on all that match the filters it is shown before it begins."""
    back = local_path(request.form.get("next", "/alerts"))
    ids = request.form.getlist("ids", type=row_id)[: service.MAX_BULK]
    change = triage.bulk_change(request.form.get("action", ""), request.form, access.me().name)
    if not ids or change is None:
        return redirect(told(back, "nothing"))
    with services().database.write() as session:
        if request.form.get("everything"):
            args = view_pages.asked(session, MultiDict(parse_qsl(urlsplit(back).query)))
            where = filters.read(args, times.window(args, default=times.EVERYTHING))
            drafted, _preview = service.prepare(
                session, access.me().actor, access.me().name, change, where=where, note=request.form.get("note", "")
            )
            return redirect(url_for("alerts.bulk_page", bulk_id=drafted.id, next=back))
        done = service.change_alerts(session, access.me().actor, ids, change, note=request.form.get("note", ""))
    return redirect(told(back, "change", done.changed, done.batch))


@alerts.get("/alerts/bulk/<bulk_id>")
@access.needs("alerts.write")
def bulk_page(bulk_id: str) -> str:
    """What a bulk act would do; once it has begun, how far it is."""
    with services().database.read() as session:
        act = service.get_bulk(session, access.me().name, bulk_id)
        preview = service.preview_of(session, access.me().name, bulk_id) if act.state == "draft" else None
        zone_name = ZoneNames(record.zone for record in zones.list_zones(session))
    back = local_path(request.args.get("next", "/alerts"))
    return render_template("alerts/bulk.html", bulk=act, preview=preview, back=back, zone_name=zone_name)


@alerts.post("/alerts/bulk/<bulk_id>/start")
@access.needs("alerts.write")
def start_bulk(bulk_id: str) -> Response:
    """Begin; pressing twice begins once."""
    with suppress(Conflict), services().database.write() as session:
        service.start(session, access.me().actor, access.me().name, bulk_id)
    service.run_in_background(services().database, bulk_id)  # where it runs already, two do no harm
    return redirect(url_for("alerts.bulk_page", bulk_id=bulk_id, next=local_path(request.form.get("next", "/alerts"))))


@alerts.post("/alerts/bulk/<bulk_id>/undo")
@access.needs("alerts.write")
def undo_bulk(bulk_id: str) -> Response:
    """Take a large act back; that is an act with a page of its own."""
    with services().database.write() as session:
        act = service.prepare_undo(session, access.me().actor, access.me().name, bulk_id)
    service.run_in_background(services().database, act.id)
    return redirect(url_for("alerts.bulk_page", bulk_id=act.id, next=local_path(request.form.get("next", "/alerts"))))


@alerts.post("/alerts/undo")
@access.needs("alerts.write")
def undo() -> Response:
    """Takes back one's own bulk act."""
    with services().database.write() as session:
        restored = service.undo_change(session, access.me().actor, request.form.get("batch", ""))
    return redirect(told(local_path(request.form.get("next", "/alerts")), "undo", restored))


@alerts.get("/alerts/<int:alert_id>")
@access.needs("alerts.read")
def page(alert_id: int) -> str:
    """Why it fired, the event, entities, history, what to do."""
    with services().database.read() as session:
        detail = service.get_detail(session, alert_id)
        similar = service.related(session, detail.alert, limit=SIMILAR)
        merged = service.merged_into(session, alert_id)
        alike = service.similar_alerts(session, detail.alert, detail.entities, limit=SIMILAR)
        known = known_indicators(session, _shown(detail.entities))
        entities = [(entity, service.related(session, detail.alert, entity, limit=3)) for entity in _shown(detail.entities)]
        detections = service.list_detections(session, alert_id, limit=10)
        people = assignable(session)
        incident = incident_of_alert(session, alert_id)
        suppression = service.suppression_of(session, detail.alert.suppressed_by)
        runs = caused(session, "alert", alert_id)
        plan = [record.zone for record in zones.list_zones(session)]
        known_things = cards(session, _shown(detail.entities), {zone.id: zone for zone in plan})
    return _alert_page(
        detail,
        similar=similar,
        entities=entities,
        detections=detections,
        people=people,
        incident=incident,
        zone_name=ZoneNames(plan),
        cards=known_things,
        suppression=suppression,
        alike=alike,
        merged=merged,
        known=known,
        caused=runs,
    )


@alerts.post("/alerts/<int:alert_id>")
@access.needs("alerts.write")
def change(alert_id: int) -> Response | tuple[str, int]:
    """Status, verdict and assignee from the form; refused where somebody else was quicker."""
    form = request.form
    here = local_path(form["next"]) if form.get("next") else url_for("alerts.page", alert_id=alert_id)
    try:
        with services().database.write() as session:
            service.change_alert(
                session, access.me().actor, alert_id, triage.form_change(form),
                expected_version=form.get("version", type=row_id), note=form.get("note", ""),
            )  # fmt: skip
    except Conflict:
        return redirect(told(here, "conflict"))
    return redirect(told(here, "change", 1))


@alerts.post("/alerts/<int:alert_id>/notes")
@access.needs("alerts.write")
def note(alert_id: int) -> Response:
    """A note into the history."""
    here = url_for("alerts.page", alert_id=alert_id)
    try:
        with services().database.write() as session:
            service.add_note(session, access.me().actor, alert_id, request.form.get("note", ""))
    except Invalid:
        return redirect(told(here, "nothing"))
    return redirect(told(here, "note"))


def _alert_page(detail: AlertDetail, **context: Any) -> str:
    row = detail.alert
    event = whole_event(detail)
    rule = services().rules().find(row.rule_id)
    lines = rule_source.highlight(rule_text(rule), detail.matched) if rule else []
    hit = {match.field for match in detail.matched}
    return render_template(
        "alerts/page.html", detail=detail, alert=row, event=event, groups=grouped(event), raw=raw_record(event), rule=rule,
        lines=lines, hit=hit,
        packets_link=url_for("alert_packets.facts", alert_id=row.id) if _may_have_packets(event) else "",
        w=incident_words, mark_value=rule_source.mark_value, subject=_subject(row), **context,
    )  # fmt: skip


def _hidden(facets: list[Facet], where: AlertFilter) -> FacetValue | None:
    """How many alerts of the same filter a suppression keeps out of this list."""
    if not where.status or SUPPRESSED in where.status:
        return None
    values = next((facet.values for facet in facets if facet.dimension == "status"), [])
    return next((value for value in values if value.value == SUPPRESSED), None)


def _may_have_packets(event: Event) -> bool:
    desk = services().packets
    return desk is not None and bool(desk.places) and conversation_of(event) is not None


def _subject(row: AlertRow) -> str:
    return " · ".join(value for value in (row.host, row.user, row.source_ip) if value)


def _shown(entities: list[Entity]) -> list[Entity]:
    """The entities worth a card, the most telling kinds first."""
    order = {kind: position for position, kind in enumerate(ENTITY_KINDS)}
    return sorted(entities, key=lambda entity: order.get(entity.kind, len(order)))[:MOST_ENTITIES]
