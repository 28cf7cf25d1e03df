"""A report as simple tables: the document, the spreadsheet and the page all show these."""

from __future__ import annotations

import msgspec

from operations.incidents.schema import Times
from operations.reports.figures import Counted, Figures
from operations.reports.words import Words

Cell = str | int | float | None


class Grid(msgspec.Struct, frozen=True):
    """``title`` over ``columns`` and ``rows``; ``widths`` are shares."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]


def grids(figures: Figures, say: Words) -> list[Grid]:
    """All tables, in the order of the report."""
    compared = [
        Grid(say(title), tuple(map(say, ("figure", "now", "before", "change"))), rows, (4, 2, 2, 2))
        for title, rows in _compared(figures, say)
    ]
    tops = [
        Grid(say(title), (say(name), say("count")), tuple((one.name, one.count) for one in found), (6, 2))
        for title, name, found in (("rules", "rule", figures.rules), ("zones", "zone", figures.zones))
    ]
    kept = ("applied", "issued", "rejected", "waiting", "overdue", "late")
    services = Grid(
        say("applications"),
        (say("service"), *map(say, kept)),
        tuple((say.service(one.service), *(getattr(one, name) for name in kept)) for one in figures.now.applications),
        (3, 1, 1, 1, 1, 1, 1),
    )
    sources = Grid(
        say("ingest"),
        tuple(map(say, ("source", "now", "before", "state"))),
        tuple((one.name, one.events, one.before, say("silent" if one.silent else "active")) for one in figures.sources or ()),
        (4, 2, 2, 2),
    )
    return [compared[0], *tops, *compared[1:], services, sources]


def overview(figures: Figures, say: Words) -> Grid:
    """The few numbers that come first."""
    now, then = figures.now, figures.before
    rows = tuple(
        _row(say(name), after, before)
        for name, after, before in (
            ("alerts", now.alerts, then.alerts),
            ("violations", now.violations, then.violations),
            ("warnings", sum(now.warnings.levels.values()), sum(then.warnings.levels.values())),
            ("incidents", sum(now.incidents.levels.values()), sum(then.incidents.levels.values())),
            ("made", now.tickets.made, then.tickets.made),
            ("applications", sum(one.applied for one in now.applications), sum(one.applied for one in then.applications)),
            ("events", now.events, then.events),
        )
    )
    return Grid(say("overview"), tuple(map(say, ("figure", "now", "before", "change"))), rows, (4, 2, 2, 2))


def _compared(figures: Figures, say: Words) -> list[tuple[str, tuple[tuple[Cell, ...], ...]]]:
    told: list[tuple[str, tuple[tuple[Cell, ...], ...]]] = []
    now, then = _numbers(figures.now), _numbers(figures.before)
    for title in now:
        pairs = zip(now[title], then[title], strict=True)
        told.append((title, tuple(_row(say(name), after, before) for (name, after), (_name, before) in pairs)))
    return told


def _numbers(of: Counted) -> dict[str, list[tuple[str, Cell]]]:
    warnings, incidents, times = of.warnings, of.incidents, of.incidents.times
    receipts = (warnings.asked, warnings.received, warnings.late, warnings.overdue, warnings.answered)
    names = ("asked", "received", "late", "receipts_overdue", "answered")
    kept = [(name, getattr(incidents, name)) for name in ("open", "met", "missed", "running")]
    means: list[tuple[str, Cell]] = [
        (name, _hours(getattr(times, name))) for name in ("detect", "acknowledge", "contain", "resolve")
    ]
    return {
        "alerts": [*reversed(of.levels.items()), ("violations", of.violations)],
        "warnings": [*of.warnings.levels.items(), *zip(names, receipts, strict=True)],
        "incidents": [
            *((f"level{level}", count) for level, count in incidents.levels.items()),
            *kept,
            *means,
            ("drills", times.drills),
        ],
        "tickets": [("made", of.tickets.made), ("done", of.tickets.done), ("tickets_overdue", of.tickets.overdue)],
    }


def _row(name: str, now: Cell, before: Cell) -> tuple[Cell, ...]:
    return name, now, before, change(now, before)


def change(now: Cell, before: Cell) -> str:
    """+3 (+50 %), "" where there is nothing to compare."""
    if not isinstance(now, int | float) or not isinstance(before, int | float):
        return ""
    step = round(now - before, 2)
    if not step:
        return "0"
    return f"{step:+,} ({step / before:+.0%})" if before else f"{step:+,}"


def _hours(times: Times) -> float | None:
    return None if times.mean is None else round(times.mean / 3600, 2)
