"""What zones, layers and states are called in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from kernel.zones.plan import EVERY_ZONE, INTERNET, UNKNOWN, Zone
from soc_ui import preferences
from soc_ui.locale import _


class ZoneNames:
    """Names of the zones of a plan; an id that it does not have stands for itself."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        chinese = preferences.current().lang == "zh"
        self._names = {zone.id: zone.name if chinese or not zone.name_en else zone.name_en for zone in zones}
        self.known = frozenset(self._names)

    def __call__(self, zone_id: str) -> str:
        """The name, also of the built-in ones and of ``*``."""
        built_in = {INTERNET: _("Internet"), UNKNOWN: _("Unknown networks"), EVERY_ZONE: _("every zone")}
        return self._names.get(zone_id) or built_in.get(zone_id, zone_id)


def layer_name(layer: str) -> str:
    """The layer as the city's construction plan calls it (kernel.zones.plan.LAYERS)."""
    names = {
        "perception": _("Smart interaction layer"),
        "network": _("Smart connection layer"),
        "cloud": _("Smart hub layer"),
        "application": _("Smart application layer"),
        "citizen": _("User experience layer"),
        "operations": _("Operation and maintenance"),
    }
    return names.get(layer, layer)


def verdict_name(verdict: str) -> str:
    """What the plan says of a crossing."""
    return {"permitted": _("permitted"), "denied": _("denied"), "expired": _("permit expired")}.get(verdict, verdict)


def state_name(state: str) -> str:
    """State of a conduit (operations.zones.service.conduit_state)."""
    names = {"in-force": _("in force"), "expiring": _("expiring"), "expired": _("expired"), "pending": _("pending")}
    return names.get(state, state)


def install(app: Flask) -> None:
    """Gives templates ``layer_name()``, ``verdict_name()`` and ``state_name()``."""
    app.jinja_env.globals.update(layer_name=layer_name, verdict_name=verdict_name, state_name=state_name)
