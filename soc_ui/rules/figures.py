"""Figures of rules joined with what is known of the rules, filtered, ordered and cut to a page; for page and API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
from sqlalchemy.orm import Session

from operations.tuning import figures, listing
from operations.tuning.schema import MeasureRecord, RuleFigures
from soc_ui.rule_titles import rule_title
from soc_ui.rules.subject import Subject, subjects

MEASURES: tuple[str, ...] = ("off", "exception", "none")


class FigureFilter(msgspec.Struct, frozen=True):
    """Which rules; empty means any. ``measure``: off, exception (has one in force) or none."""

    engine: str = ""
    level: str = ""
    measure: str = ""
    text: str = ""


class Line(msgspec.Struct, frozen=True):
    """A row of the page."""

    rule: Subject
    figures: RuleFigures
    off: MeasureRecord | None
    exceptions: int


class FigurePage(msgspec.Struct, frozen=True):
    """``total`` rules pass the filter; ``facets``: dimension → value → rules, each without the filter on itself."""

    lines: list[Line]
    total: int
    facets: Mapping[str, Mapping[str, int]]


def page_of(session: Session, days: int, where: FigureFilter, *, sort: str, start: int, limit: int) -> FigurePage:
    """The lines from number ``start`` on. Raises Invalid."""
    rows = figures.figures(session, days, sort=sort)
    known = subjects(session, (row.rule_id for row in rows))
    measures = listing.in_force(session)
    lines = [_line(row, known.get(row.rule_id) or Subject(row.rule_id, row.rule_id, ""), measures) for row in rows]
    facets = {name: _facet(lines, where, name) for name in ("engine", "level", "measure")}
    found = [line for line in lines if _passes(line, where)]
    shown = found[start : start + limit]
    full = {row.rule_id: row for row in figures.completed(session, [line.figures for line in shown], days)}
    page = [msgspec.structs.replace(line, figures=full[line.rule.id]) for line in shown]
    return FigurePage(page, len(found), facets)


def _line(row: RuleFigures, rule: Subject, measures: Mapping[str, list[MeasureRecord]]) -> Line:
    mine = measures.get(row.rule_id, [])
    off = next((one for one in mine if one.kind == "off"), None)
    return Line(rule, row, off, sum(one.kind == "exception" for one in mine))


def _value(line: Line, name: str) -> tuple[str, ...]:
    if name == "measure":
        found = (*(("off",) if line.off else ()), *(("exception",) if line.exceptions else ()))
        return found or ("none",)
    return (str(getattr(line.rule, name)),)


def _passes(line: Line, where: FigureFilter, without: str = "") -> bool:
    for name in ("engine", "level", "measure"):
        wanted = getattr(where, name)
        if wanted and name != without and wanted not in _value(line, name):
            return False
    hay = f"{line.rule.title} {rule_title(line.rule.id, line.rule.title)} {line.rule.id}".lower()
    return all(word in hay for word in where.text.lower().split())


def _facet(lines: list[Line], where: FigureFilter, name: str) -> dict[str, int]:
    counted = Counter(value for line in lines if _passes(line, where, name) for value in _value(line, name) if value)
    return dict(sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])))
