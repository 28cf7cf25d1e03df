"""The live map of the city for pages that show it beside other things."""

from __future__ import annotations

from typing import Any

from kernel.errors import StoreError
from soc_ui.times import Window
from soc_ui.zones import flows
from soc_ui.zones.drawing import draw
from soc_ui.zones.state import read_city, sorted_zones


def live_city(window: Window) -> dict[str, Any]:
    """``city``, ``traffic`` and ``drawing``; ``city`` is None where the event store cannot be read (the rest of a page can)."""
    try:
        traffic = flows.traffic(window)
    except StoreError:
        return {"city": None}
    city = read_city(traffic)
    return {"city": city, "traffic": traffic, "drawing": draw(sorted_zones(city.zones), traffic.flows)}
