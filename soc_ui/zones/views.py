"""``/zones``: the map of the city's zones and what flows between them; ``/zones/<id>``: one zone; ``/crossings``: one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.zones.plan import BUILT_IN, INTERNET, LAYERS, UNKNOWN
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.assets import listing as assets
from operations.assets.schema import AssetFilter
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.zones import service
from operations.zones.schema import ZoneRecord
from soc_ui import access, times
from soc_ui.alerts.filters import OPEN
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones import crossing as crossings
from soc_ui.zones import drawing, flows, forms, matrix, problems, state
from soc_ui.zones.names import ZoneNames

SHOWN_ALERTS, SHOWN_ASSETS, SHOWN_FLOWS = 8, 8, 30
zones = Blueprint("zones", __name__)


@zones.get("/zones")
@access.needs("zones.read")
def page() -> str:
    """The map. Its part alone is sent to the poll of the page (htmx)."""
    window = times.window(request.args)
    found = flows.traffic(window)
    city = state.read_city(found)
    name = ZoneNames(city.zones)
    part = bool(request.headers.get("HX-Request"))
    chosen = request.args.get("crossing", "")
    return render_template(
        "zones/refreshed.html" if part else "zones/page.html",
        city=city, traffic=found, window=window, name=name, drawing=drawing.draw(state.sorted_zones(city.zones), found.flows),
        matrix=matrix.read(request.args, found, name), chosen=chosen, presets=times.PRESETS, verdicts=flows.VERDICTS,
        internet=INTERNET, unknown=UNKNOWN, query=flows.crossing_query,
        panel=None if part else _panel(chosen, window, city.conduits),
    )  # fmt: skip


@zones.get("/crossings")
@access.needs("zones.read")
def crossing() -> str | Response:
    """What crossed between two zones (``crossing=a>b``): the part beside the map; without our script the whole page with it."""
    chosen, window = request.args.get("crossing", ""), times.window(request.args)
    if not request.headers.get("HX-Request"):
        return redirect(url_for("zones.page", crossing=chosen, **window.args()))
    found = flows.traffic(window)
    city = state.read_city(found)
    panel = _panel(chosen, window, city.conduits)
    if panel is None:
        abort(404)
    return render_template("zones/crossing.html", panel=panel, window=window, name=ZoneNames(city.zones), chosen=chosen)


@zones.get("/zones/<zone_id>")
@access.needs("zones.read")
def one(zone_id: str) -> str | Response:
    """Facts, conduits, devices, flows and alerts of a zone; the form for those who may change it."""
    if zone_id in BUILT_IN:
        return redirect(url_for("zones.page", zone=zone_id, _anchor="flows"))
    return _zone_page(zone_id)


@zones.post("/zones/<zone_id>")
@access.needs("zones.write")
def change(zone_id: str) -> Response | tuple[str, int]:
    """Save the form; refused where somebody else was quicker."""
    form = request.form
    try:
        wanted = forms.zone_from(form, zone_id)
        with services().database.write() as session:
            service.save_zone(session, access.me().actor, wanted, expected_version=form.get("version", 0, row_id))
    except Conflict:
        return _zone_page(zone_id, conflict=True), 409
    except Invalid as error:
        return _zone_page(zone_id, wrong=problems.explain(error), values=form), 422
    return redirect(url_for("zones.one", zone_id=zone_id, done="zone"))


@zones.post("/zones/<zone_id>/delete")
@access.needs("zones.write")
def delete(zone_id: str) -> Response | tuple[str, int]:
    """Take a zone out of the plan; refused while a conduit names it."""
    try:
        with services().database.write() as session:
            service.delete_zone(session, access.me().actor, zone_id)
    except Invalid as error:
        return _zone_page(zone_id, wrong=problems.explain(error)), 422
    return redirect(url_for("zones.page", done="zone_deleted"))


def _panel(chosen: str, window: times.Window, conduits: list[Any]) -> dict[str, Any] | None:
    """Everything about one crossing, None where the text names none. That somebody looked at its addresses is audited."""
    ends = crossings.split(chosen)
    if ends is None:
        return None
    me = access.me()
    uses = crossings.read_uses(services().store, *ends, window.range)
    if not me.may("events.read"):
        uses = replace(uses, pairs=[])
    detail = {"query": flows.crossing_query(*ends), "start": window.start, "end": window.end}
    with services().database.write() as session:
        audit.append(session, access.me().actor, "events.top", "events", detail={key: text for key, text in detail.items() if text})
    with services().database.read() as session:
        about = AlertFilter(status=OPEN, engine=("zone",), entity=(("zone", ends[0]), ("zone", ends[1])))
        newest = alerts.list_alerts(session, about, limit=SHOWN_ALERTS).alerts if me.may("alerts.read") else []
    return {
        "flow": uses.flow,
        "uses": uses,
        "alerts": newest,
        "conduits": crossings.covering(conduits, *ends),
        "query": flows.crossing_query,
    }


def _zone_page(
    zone_id: str, *, wrong: list[problems.Problem] | None = None, values: Mapping[str, str] | None = None, conflict: bool = False
) -> str:
    window = times.window(request.args)
    found = flows.traffic(window)
    city = state.read_city(found)
    with services().database.read() as session:
        record = service.get_zone(session, zone_id)
        conduits = service.list_conduits(session, zone=zone_id)
        devices = assets.list_assets(session, AssetFilter(zone=zone_id), limit=SHOWN_ASSETS).assets
        about = AlertFilter(status=OPEN, entity=(("zone", zone_id),))
        newest = alerts.list_alerts(session, about, limit=SHOWN_ALERTS).alerts if access.me().may("alerts.read") else []
    if record.zone.id not in city.cards:  # made a moment ago
        raise NotFound(f"there is no zone {zone_id}")
    return render_template(
        "zones/one.html",
        record=record, zone=record.zone, card=city.cards[zone_id], conduits=conduits, devices=devices, newest=newest,
        flows=found.of(zone_id)[:SHOWN_FLOWS], window=window, name=ZoneNames(city.zones), layers=LAYERS, presets=times.PRESETS,
        wrong=wrong or ([problems.Problem(0, "", "", _conflict())] if conflict else []),
        value=_values(record, values), query=flows.crossing_query, event_query=_events_of(zone_id),
    )  # fmt: skip


def _values(record: ZoneRecord, form: Mapping[str, str] | None) -> dict[str, str]:
    known = forms.zone_values(record.zone)
    return {name: form.get(name, "") for name in known} if form is not None else known


def _conflict() -> str:
    return _("Somebody else changed this in the meantime; here is how it stands now.")


def _events_of(zone_id: str) -> str:
    return f'source.zone:"{zone_id}" OR destination.zone:"{zone_id}" OR host.zone:"{zone_id}"'
