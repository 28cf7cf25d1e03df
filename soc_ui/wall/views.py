"""``/wall``: the full-screen page; ``/wall/part``: its pages alone, which its script fetches. All numbers are within the scope."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from kernel.detection import LEVELS
from kernel.event import timestamp
from kernel.zones.plan import INTERNET, UNKNOWN
from operations.accounts.permissions import reading
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.incidents.listing import count_incidents, list_incidents, open_filter
from operations.risk import listing as risks
from operations.risk.schema import RiskFilter
from operations.warnings import service as warnings
from operations.warnings.schema import BoardFilter
from operations.zones import service as zones
from soc_ui import access, times
from soc_ui.alerts.filters import OPEN
from soc_ui.recent import Recent
from soc_ui.services import services, source_health
from soc_ui.times import Window
from soc_ui.zones.live import live_city
from soc_ui.zones.names import ZoneNames

LOOK_BACK = "24h"
ROWS = 9
PAGES = (
    ("city", "zones.read"),
    ("alerts", "alerts.read"),
    ("incidents", "incidents.read"),
    ("risk", "risk.read"),
    ("ingest", "sources.read"),
)
"""Page → the permission that it needs."""

wall = Blueprint("wall", __name__)


@wall.get("/wall")
@access.needs("alerts.read")
def page() -> str:
    """The whole page. An account that can only read is kept logged in by its wall, up to the longest time of a session."""
    keeps = bool(access.me().permissions) and reading(access.me().permissions) == access.me().permissions
    return render_template("wall/page.html", keeps=keeps, **_told())


@wall.get("/wall/part")
@access.needs("alerts.read")
def part() -> str:
    """The pages alone."""
    return render_template("wall/part.html", **_told())


def _told() -> dict[str, Any]:
    me = access.me()
    shown = [name for name, permission in PAGES if me.may(permission)]
    kept: Recent[dict[str, Any]] = current_app.extensions.setdefault("liandun_wall", Recent())
    told = dict(kept.get((services().reach, me.organisations, tuple(shown), me.may("warnings.read")), lambda: _read(shown)))
    told["name"] = ZoneNames(told["zones"])
    return told | {"pages": shown, "internet": INTERNET, "unknown": UNKNOWN, "now": timestamp(times.now())}


def _read(shown: list[str]) -> dict[str, Any]:
    """Everything but words, some seconds old at most."""
    me = access.me()
    told: dict[str, Any] = {"city": None}
    with services().database.read() as session:
        told["zones"] = [record.zone for record in zones.list_zones(session)] if "city" in shown else []
        told["levels"] = {
            level: alerts.count_alerts(session, AlertFilter(status=OPEN, level=(level,))) for level in reversed(LEVELS)
        }
        statuses = alerts.facets(session, AlertFilter(), ("status",))[0].values
        told["statuses"] = {value.value: value.count for value in statuses}
        told["newest"] = alerts.list_alerts(session, AlertFilter(status=OPEN, level=("critical", "high")), limit=ROWS).alerts
        board = warnings.board(session, BoardFilter(status=("published",)), limit=ROWS).rows if me.may("warnings.read") else []
        told["warnings"] = board
        if "incidents" in shown:
            told["incidents"] = list_incidents(session, open_filter(drill=False), sort="due", limit=ROWS - 1).incidents
            told["open_incidents"] = count_incidents(session, open_filter(drill=False))
            told["overdue"] = count_incidents(session, open_filter(drill=False, clock="overdue"))
            told["soon"] = count_incidents(session, open_filter(drill=False, clock="soon"))
        if "risk" in shown:
            told["top_zones"] = risks.list_risks(session, RiskFilter(kind="zone"), limit=ROWS).rows
            told["top_assets"] = risks.list_risks(session, RiskFilter(kind="asset"), limit=ROWS).rows
            told["movers"] = [*risks.movers(session, "zone", limit=ROWS), *risks.movers(session, "asset", limit=ROWS)]
            told["movers"] = sorted(told["movers"], key=lambda row: -row.delta)[:ROWS]
            told["lines"] = risks.series(session, "zone", [row.key for row in told["top_zones"]])
            told["bands"] = risks.bands(session, "asset")
    if "city" in shown:
        told |= live_city(Window(LOOK_BACK, timestamp(times.now() - times.PRESETS[LOOK_BACK]), ""))
    if "ingest" in shown:
        told |= _ingest()
    return told


def _ingest() -> dict[str, Any]:
    health = source_health()
    eps = sum(source.eps_history[-1] if source.eps_history else 0.0 for source in health)
    sums = {name: sum(getattr(source, name) for source in health) for name in ("received", "stored", "quarantined", "dropped")}
    return {"health": health, "eps": eps, "sums": sums, "lag": max((source.lag_seconds for source in health), default=0.0)}
