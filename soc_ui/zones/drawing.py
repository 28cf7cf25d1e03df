"""Where everything stands on the zone map: bands, cards and curves, in the units of the SVG's view box.

The city's layers lie on each other as its construction plan draws them, perception lowest; operations stand beside all of them.
The Internet lies above, networks that no zone declares below. Nothing here knows colours or words: the template draws, the sheet
paints.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.zones.plan import INTERNET, LAYERS, UNKNOWN, Zone
from soc_ui.zones.flows import Flow

WIDTH = 1160
CARD_WIDTH, CARD_HEIGHT = 140, 64
_LABEL = 84  # left part of a band, where its name stands
_PILLAR = 156
_GAP = 12  # between cards
_ROW_GAP = 26  # between rows of cards of one band
_BAND_GAP = 25  # the curves have room here
_PADDING = 7
_OUTSIDE_WIDTH, _OUTSIDE_HEIGHT = 190, 28
_MAIN = WIDTH - _PILLAR - 10
_PER_ROW = (_MAIN - _LABEL - _PADDING + _GAP) // (CARD_WIDTH + _GAP)
_STACK = tuple(layer for layer in reversed(LAYERS) if layer != "operations")
_MARGIN, _SPREAD = 14, 13  # where curves end on a side: distance from its corners, and from each other
_THICKEST = 7.0


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Band:
    """A layer with the cards of its zones. ``upright`` is the pillar of operations."""

    layer: str
    box: Box
    upright: bool = False


@dataclass(frozen=True)
class Curve:
    """One flow, or its violations apart from what is permitted. ``verdict`` says which, the worse one where both are there."""

    flow: Flow
    verdict: str
    count: int
    path: str
    thickness: float


@dataclass(frozen=True)
class Drawing:
    """The whole map. ``boxes`` holds zones and the outsides by id; ``lost`` counts flows of zones that the plan does not name."""

    height: float
    bands: tuple[Band, ...]
    boxes: dict[str, Box]
    curves: tuple[Curve, ...]
    lost: int

    @property
    def width(self) -> int:
        return WIDTH


def draw(zones: Sequence[Zone], flows: Iterable[Flow]) -> Drawing:
    """Lay out the zones in their layers, in the order given, and the flows between them."""
    bands, boxes, height = _place(zones)
    known = [flow for flow in flows if flow.source in boxes and flow.target in boxes and flow.source != flow.target]
    every = list(flows)
    return Drawing(height, tuple(bands), boxes, _curves(known, boxes), len(every) - len(known))


def _place(zones: Sequence[Zone]) -> tuple[list[Band], dict[str, Box], float]:
    boxes: dict[str, Box] = {INTERNET: Box((_MAIN - _OUTSIDE_WIDTH) / 2, 2, _OUTSIDE_WIDTH, _OUTSIDE_HEIGHT)}
    bands: list[Band] = []
    upright = [zone for zone in zones if zone.layer == "operations"]
    y = top = 2 + _OUTSIDE_HEIGHT + _BAND_GAP
    pillar = max(len(upright) * (CARD_HEIGHT + _GAP) + 40, 0)
    lying = {layer: [zone for zone in zones if zone.layer == layer] for layer in _STACK}
    rows = {layer: max(1, math.ceil(len(of) / _PER_ROW)) for layer, of in lying.items()}
    needed = sum(_band_height(count) for count in rows.values()) + _BAND_GAP * (len(_STACK) - 1)
    stretch = max(0.0, pillar - needed) / len(_STACK)  # many zones of operations make every band a little higher
    for layer in _STACK:
        height = _band_height(rows[layer]) + stretch
        bands.append(Band(layer, Box(0, y, _MAIN, height)))
        for number, zone in enumerate(lying[layer]):
            row, column = divmod(number, _PER_ROW)
            in_row = min(_PER_ROW, len(lying[layer]) - row * _PER_ROW)
            free = _MAIN - _LABEL - _PADDING - in_row * CARD_WIDTH
            gap = min(free / (in_row + 1), 96.0)
            left = _LABEL + (free - gap * (in_row - 1)) / 2
            boxes[zone.id] = Box(
                left + column * (CARD_WIDTH + gap),
                y + stretch / 2 + _PADDING + row * (CARD_HEIGHT + _ROW_GAP),
                CARD_WIDTH,
                CARD_HEIGHT,
            )
        y += height + _BAND_GAP
    bottom = y - _BAND_GAP
    bands.append(Band("operations", Box(WIDTH - _PILLAR, top, _PILLAR, bottom - top), upright=True))
    used = len(upright) * CARD_HEIGHT + max(0, len(upright) - 1) * _GAP
    for number, zone in enumerate(upright):
        start = top + 28 + (bottom - top - 28 - used) / 2
        boxes[zone.id] = Box(
            WIDTH - _PILLAR + (_PILLAR - CARD_WIDTH) / 2, start + number * (CARD_HEIGHT + _GAP), CARD_WIDTH, CARD_HEIGHT
        )
    boxes[UNKNOWN] = Box((_MAIN - _OUTSIDE_WIDTH) / 2, bottom + _BAND_GAP, _OUTSIDE_WIDTH, _OUTSIDE_HEIGHT)
    return bands, boxes, bottom + _BAND_GAP + _OUTSIDE_HEIGHT + 2


def _band_height(rows: int) -> float:
    return rows * CARD_HEIGHT + (rows - 1) * _ROW_GAP + 2 * _PADDING


@dataclass
class _End:
    """One end of a curve: on which side of which box, and where the other end is (for the order on the side)."""

    box: str
    side: str  # top | bottom | left | right
    toward: tuple[float, float]
    point: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class _Line:
    flow: Flow
    verdict: str
    count: int
    ends: tuple[_End, _End]


def _curves(flows: Sequence[Flow], boxes: dict[str, Box]) -> tuple[Curve, ...]:
    lines: list[_Line] = []
    for flow in flows:
        if flow.permitted:
            lines.append(_Line(flow, "permitted", flow.permitted, _ends(flow.source, flow.target, boxes)))
        if flow.violations:
            verdict = "denied" if flow.denied else "expired"
            lines.append(_Line(flow, verdict, flow.violations, _ends(flow.source, flow.target, boxes)))
    _spread([end for line in lines for end in line.ends], boxes)
    most = max((line.count for line in lines), default=1)
    drawn = [
        Curve(line.flow, line.verdict, line.count, _path(*line.ends), round(1.3 + _THICKEST * math.sqrt(line.count / most), 1))
        for line in lines
    ]
    # What is permitted lies below, large below small, so that nothing is hidden.
    return tuple(sorted(drawn, key=lambda curve: (curve.verdict != "permitted", -curve.count)))


def _ends(source: str, target: str, boxes: dict[str, Box]) -> tuple[_End, _End]:
    here, there = boxes[source], boxes[target]
    return (
        _End(source, _side(here, there), there.middle),
        _End(target, _side(there, here), here.middle),
    )


def _side(box: Box, other: Box) -> str:
    """The side on which a curve leaves a box. Zones of operations are left to the left; neighbours of one row are joined above."""
    upright, other_upright = box.x >= WIDTH - _PILLAR, other.x >= WIDTH - _PILLAR
    if upright:
        return "left"
    if not other_upright and abs(box.middle[1] - other.middle[1]) < CARD_HEIGHT / 2:
        return "top"
    return "top" if other.middle[1] < box.middle[1] else "bottom"


def _spread(ends: Sequence[_End], boxes: dict[str, Box]) -> None:
    """Give every end its point: evenly along the side, in the order of where the curves go, so that few of them cross."""
    sides: dict[tuple[str, str], list[_End]] = {}
    for end in ends:
        sides.setdefault((end.box, end.side), []).append(end)
    for (name, side), members in sides.items():
        box = boxes[name]
        lying = side in ("top", "bottom")
        members.sort(key=lambda end: end.toward[0] if lying else end.toward[1])
        length = box.width if lying else box.height
        step = min(_SPREAD, (length - 2 * _MARGIN) / max(1, len(members) - 1))
        first = (length - step * (len(members) - 1)) / 2
        for number, end in enumerate(members):
            along = first + step * number
            end.point = (
                (box.x + along, box.y if side == "top" else box.y + box.height)
                if lying
                else (box.x if side == "left" else box.x + box.width, box.y + along)
            )


def _path(start: _End, end: _End) -> str:
    (x1, y1), (x2, y2) = start.point, end.point
    if start.side == end.side == "top":  # neighbours: an arc over the row
        rise = min(34.0, 20.0 + abs(x2 - x1) * 0.03)
        return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 - rise:.1f} {x2:.1f} {y2 - rise:.1f} {x2:.1f} {y2:.1f}"
    reach = {side: _reach(start, end, side) for side in (start.side, end.side)}
    cx1, cy1 = _control(start, reach[start.side])
    cx2, cy2 = _control(end, reach[end.side])
    return f"M{x1:.1f} {y1:.1f}C{cx1:.1f} {cy1:.1f} {cx2:.1f} {cy2:.1f} {x2:.1f} {y2:.1f}"


def _reach(start: _End, end: _End, side: str) -> float:
    (x1, y1), (x2, y2) = start.point, end.point
    along = abs(x2 - x1) if side in ("left", "right") else abs(y2 - y1)
    return max(22.0, min(along * 0.5, 150.0))


def _control(end: _End, reach: float) -> tuple[float, float]:
    x, y = end.point
    dx, dy = {"top": (0, -1), "bottom": (0, 1), "left": (-1, 0), "right": (1, 0)}[end.side]
    return x + dx * reach, y + dy * reach
