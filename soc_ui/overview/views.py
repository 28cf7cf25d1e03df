"""The overview: four numbers, two charts, the live map, two top lists, sources, newest alerts. Parts refresh themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.detection import LEVELS
from kernel.errors import StoreError
from kernel.event import timestamp
from kernel.zones.plan import INTERNET, UNKNOWN
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter, Count
from operations.incidents.listing import list_incidents, open_filter
from operations.incidents.schema import IncidentRow
from operations.risk import listing as risks
from operations.risk.schema import RiskFilter
from operations.warnings import service as warnings
from operations.warnings.schema import BoardFilter
from operations.zones import service as zones
from soc_ui import access, times
from soc_ui.frame import tickets_waiting
from soc_ui.services import TrustHealth, services, source_health
from soc_ui.zones import flows
from soc_ui.zones.live import live_city
from soc_ui.zones.names import ZoneNames

OPEN = ("new", "acknowledged", "in_progress")
RANGES = ("1h", "24h", "7d", "30d")
BARS = 48
TOP = 6
NEWEST = 15
WARNINGS = 5
DUE = 6
overview = Blueprint("overview", __name__)


@overview.get("/")
@access.needs("alerts.read")
def page() -> str:
    """The whole page."""
    return render_template("overview/page.html", **_numbers())


@overview.get("/overview/numbers")
@access.needs("alerts.read")
def numbers() -> str:
    """Everything but the charts, for refreshing in place."""
    return render_template("overview/numbers.html", **_numbers())


@overview.get("/overview/map")
@access.needs("zones.read")
def live_map() -> str:
    """The city's layers and zones as a picture. It is asked for by itself: counting flows may take longer than the page."""
    told = live_city(_window())
    name = ZoneNames(told["city"].zones if told["city"] else ())
    return render_template("overview/map.html", **told, name=name, chosen=_range(), internet=INTERNET, unknown=UNKNOWN)


@overview.get("/overview/charts.json")
@access.needs("alerts.read")
def charts() -> Response:
    """Series of both charts: records per second of all sources, alerts by level of the chosen time."""
    end = times.now()
    start = timestamp(end - times.PRESETS[_range()])
    with services().database.read() as session:
        bars = alerts.timeline(session, start, timestamp(end), bars=BARS)
    return jsonify(
        ingest=_ingest(),
        alerts={
            "starts": [bar.start for bar in bars],
            "levels": {level: [bar.counts.get(level, 0) for bar in bars] for level in reversed(LEVELS)},
        },
    )


def _range() -> str:
    """The time that charts and top lists look back, from ``last=``."""
    chosen = request.args.get("last", "")
    return chosen if chosen in RANGES else "24h"


def _window() -> times.Window:
    return times.Window(_range(), timestamp(times.now() - times.PRESETS[_range()]), "")


def _ingest() -> dict[str, Any]:
    """Records per second, summed over the sources, each right-aligned at this moment."""
    if not access.me().may("sources.read"):
        return {"starts": [], "eps": []}
    histories = [list(source.eps_history) for source in source_health()]
    length = max((len(history) for history in histories), default=0)
    step = min((source.eps_step_seconds for source in source_health()), default=5)
    total = [0.0] * length
    for history in histories:
        for index, value in enumerate(reversed(history), start=1):
            total[-index] += value
    end = times.now()
    starts = [timestamp(end - timedelta(seconds=step * (length - index))) for index in range(length)]
    return {"starts": starts, "eps": [round(value, 2) for value in total]}


def _numbers() -> dict[str, Any]:
    start = timestamp(times.now() - times.PRESETS[_range()])
    may_see_sources = access.me().may("sources.read")
    health = source_health() if may_see_sources else []
    with services().database.read() as session:
        statuses = alerts.facets(session, AlertFilter(), ("status",))[0].values
        newest = alerts.list_alerts(session, AlertFilter(status=OPEN, level=("critical", "high")), limit=NEWEST).alerts
        top = alerts.facets(session, AlertFilter(start=start), ("rule", "host"), limit=TOP)  # both of one sample
        levels = alerts.facets(session, AlertFilter(status=OPEN), ("level",))[0]  # one question for all, sampled for a scope
        numbers_of = {one.value: one.count for one in levels.values}
        open_by_level = {level: Count(numbers_of.get(level, 0), levels.exact) for level in reversed(LEVELS)}
        in_force = warnings.board(session, BoardFilter(status=("published",)), limit=WARNINGS).rows
        waiting = warnings.waiting(session, access.me())
        zone_name = ZoneNames(record.zone for record in zones.list_zones(session))
        needs = _needs(session)
    return {
        **needs,
        "zone_name": zone_name,
        "in_force": in_force,
        "waiting": waiting,
        "violations": _violations() if zone_name.known else {},
        "ranges": RANGES,
        "chosen": _range(),
        "statuses": {value.value: value.count for value in statuses},
        "open_by_level": open_by_level,
        "newest": newest,
        "top_rules": top[0].values,
        "top_hosts": top[1].values,
        "health": health,
        "trust": services().trust() if may_see_sources else TrustHealth(),
        "eps": sum((source.eps_history[-1] if source.eps_history else 0.0) for source in health),
        "received": sum(source.received for source in health),
        "stored": sum(source.stored for source in health),
        "quarantined": sum(source.quarantined for source in health),
        "dropped": sum(source.dropped for source in health),
    }


def _needs(session: Session) -> dict[str, Any]:
    """What needs this person: incidents with a deadline within the hour or missed, tickets in which it is their turn; top risks."""
    me = access.me()
    due: list[IncidentRow] = []
    if me.may("incidents.read"):
        for state in ("overdue", "soon"):
            due += list_incidents(session, open_filter(drill=False, clock=state), sort="due", limit=DUE).incidents
    top = risks.list_risks(session, RiskFilter(kind="zone"), limit=TOP).rows if me.may("risk.read") else []
    return {
        "due": due[:DUE],
        "tickets_waiting": tickets_waiting() if me.may("tickets.read") else 0,
        "top_risks": top,
        "risk_lines": risks.series(session, "zone", [row.key for row in top]) if top else {},
        "right_now": timestamp(times.now()),
    }


def _violations() -> dict[str, int] | None:
    """Zones with what left them without a permit, most first; None where the store cannot tell (the rest of the page can)."""
    try:
        found = flows.traffic(_window())
    except StoreError:
        return None
    return found.violating_zones()
