"""The flows as a table: the map in words and numbers, filtered, sorted and paged by the URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from soc_ui.zones.flows import VERDICTS, Flow, Traffic

PAGE_ROWS = 25
SORTS = ("total", "source", "target", *VERDICTS)
MAX_TEXT = 120


@dataclass(frozen=True)
class Matrix:
    """One page of the table. ``matching`` counts all rows that pass the filters."""

    rows: list[Flow]
    matching: int
    page: int
    pages: int
    zone: str
    verdict: str
    text: str
    sort: str

    def args(self, **changes: str | int | None) -> dict[str, str | int]:
        """URL parameters that give this page again, some of them set anew (None = left out)."""
        now: dict[str, str | int | None] = {"zone": self.zone, "verdict": self.verdict, "q": self.text, "page": self.page}
        now |= {"sort": self.sort if self.sort != "total" else None} | changes
        return {name: value for name, value in now.items() if value not in (None, "", 1)}


def read(args: MultiDict[str, str], found: Traffic, name: Callable[[str], str]) -> Matrix:
    """What the URL asks for: ``zone`` (either end), ``verdict``, ``q`` (in ids and names), ``sort`` (- turns it), ``page``."""
    zone, verdict = args.get("zone", "")[:MAX_TEXT], args.get("verdict", "")
    text, sort = args.get("q", "").strip()[:MAX_TEXT], args.get("sort", "total")
    rows = [flow for flow in found.flows if zone in ("", flow.source, flow.target)]
    if verdict in VERDICTS:
        rows = [flow for flow in rows if flow.count(verdict)]
    if text:
        asked = text.casefold().split()
        rows = [flow for flow in rows if all(word in _hay(flow, name) for word in asked)]
    key = sort.removeprefix("-")
    if key in ("source", "target"):
        rows.sort(key=lambda flow: name(getattr(flow, key)), reverse=sort.startswith("-"))
    elif key in SORTS:
        rows.sort(key=lambda flow: (-int(getattr(flow, key)), flow.crossing), reverse=sort.startswith("-"))
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = min(max(1, args.get("page", 1, int)), pages)
    return Matrix(rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], len(rows), page, pages, zone, verdict, text, sort)


def _hay(flow: Flow, name: Callable[[str], str]) -> str:
    return " ".join((flow.crossing, name(flow.source), name(flow.target))).casefold()
