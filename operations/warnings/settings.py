"""The matrix, the deadlines and the numbers of patterns: as shipped (standard.yml), or as this site decided."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import orjson
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.detection import LEVELS as ALERT_LEVELS
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid, NotFound, Stale
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS
from operations.warnings.models import WarningSetting
from operations.warnings.schema import Setting

NAMES: tuple[str, ...] = ("matrix", "deadlines", "patterns", "advisories")
MAX_HOURS = 24 * 366
MAX_SOURCE = 512


@cache
def shipped() -> dict[str, Setting]:
    """standard.yml."""
    found = yaml.safe_load(resources.files(__package__).joinpath("standard.yml").read_text("utf-8"))
    return {
        name: Setting(name, part["value"], part["source"], part["to_be_confirmed"], source_zh=part["source_zh"])
        for name, part in found.items()
    }


def get(session: Session, name: str) -> Setting:
    """One table. Raises NotFound."""
    if name not in NAMES:
        raise NotFound(f"there is no setting {name[:40]!r}")
    row = session.get(WarningSetting, name)
    return _record(row) if row is not None else shipped()[name]


def every(session: Session) -> list[Setting]:
    """All of them."""
    changed = {row.name: _record(row) for row in session.execute(select(WarningSetting)).scalars()}
    return [changed.get(name, shipped()[name]) for name in NAMES]


def change(
    session: Session, who: Principal, name: str, value: Any, source: str, to_be_confirmed: bool, *, expected_version: int | None
) -> Setting:
    """Replace a table. Raises NotFound, Invalid, Stale."""
    get(session, name)
    row = session.get(WarningSetting, name, with_for_update=True)
    before = _record(row) if row is not None else shipped()[name]
    if expected_version is not None and before.version != expected_version:
        raise Stale("this table was changed by somebody else", "reload it and decide again")
    source = source.strip()
    if not source or len(source) > MAX_SOURCE:
        raise Invalid(f"say where the values come from, in at most {MAX_SOURCE} characters", field="source")
    checked = _CHECKS[name](value)
    if row is None:
        row = WarningSetting(name=name, version=0)
        session.add(row)
    row.value, row.source, row.to_be_confirmed = orjson.dumps(checked).decode(), source, to_be_confirmed
    row.changed_at, row.changed_by, row.version = clock.now(), who.actor.name[:160], row.version + 1
    detail = {"before": before.value, "after": checked, "source": source, "to_be_confirmed": to_be_confirmed}
    audit.append(session, who.actor, "warning.settings", "setting", name, detail=detail)
    session.flush()
    return _record(row)


def _record(row: WarningSetting) -> Setting:
    value = shipped()[row.name].value | orjson.loads(row.value)  # a table of before may know fewer numbers
    return Setting(row.name, value, row.source, row.to_be_confirmed, row.changed_at, row.changed_by, row.version)


def _table(value: Any, keys: tuple[str, ...], field: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Invalid(f"{field} needs exactly {', '.join(keys)}", field=field)
    return value


def _matrix(value: Any) -> dict[str, Any]:
    rows = _table(value, IMPORTANCE, "matrix")
    for importance in IMPORTANCE:
        for harm, level in _table(rows[importance], HARM, f"matrix.{importance}").items():
            if level not in LEVELS:
                raise Invalid(
                    f"there is no level {str(level)[:20]!r}", f"one of {', '.join(LEVELS)}", field=f"matrix.{importance}.{harm}"
                )
        ranks = [LEVELS.index(rows[importance][harm]) for harm in HARM]
        if ranks != sorted(ranks):
            raise Invalid("more harm cannot give a lower level", field=f"matrix.{importance}")
    for harm in HARM:
        ranks = [LEVELS.index(rows[importance][harm]) for importance in IMPORTANCE]
        if ranks != sorted(ranks):
            raise Invalid("a more important object cannot give a lower level", field=f"matrix.{harm}")
    return {importance: {harm: rows[importance][harm] for harm in HARM} for importance in IMPORTANCE}


def _hours(value: Any, field: str) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.05 <= value <= MAX_HOURS:
        raise Invalid(f"hours lie between 0.05 and {MAX_HOURS}", field=field)
    return value


def _deadlines(value: Any) -> dict[str, Any]:
    rows = _table(value, LEVELS, "deadlines")
    made = {}
    for level in LEVELS:
        row = _table(rows[level], ("receipt", "feedback"), f"deadlines.{level}")
        hours = {step: _hours(row[step], f"deadlines.{level}.{step}") for step in ("receipt", "feedback")}
        if hours["feedback"] < hours["receipt"]:
            raise Invalid("feedback cannot be due before the receipt", field=f"deadlines.{level}.feedback")
        made[level] = hours
    return made


def _patterns(value: Any) -> dict[str, Any]:
    row = _table(value, ("zones", "indicator_zones", "violations", "window_hours", "min_level"), "patterns")
    for field, least, most in (("zones", 2, 1000), ("indicator_zones", 1, 1000), ("violations", 2, 1_000_000)):
        number = row[field]
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise Invalid(f"{field} is a number between {least} and {most}", field=f"patterns.{field}")
    _hours(row["window_hours"], "patterns.window_hours")
    if row["min_level"] not in ALERT_LEVELS:
        raise Invalid(f"one of {', '.join(ALERT_LEVELS)}", field="patterns.min_level")
    return dict(row)


def _advisories(value: Any) -> dict[str, Any]:
    row = _table(value, ("drafts", "least", "verdict"), "advisories")
    if row["drafts"] not in ("yes", "no"):
        raise Invalid("one of yes, no", field="advisories.drafts")
    if isinstance(row["least"], bool) or not isinstance(row["least"], int) or not 1 <= row["least"] <= 10_000:
        raise Invalid("least is a number between 1 and 10000", field="advisories.least")
    if row["verdict"] not in ("affected", "possibly"):
        raise Invalid("one of affected, possibly", field="advisories.verdict")
    return dict(row)


_CHECKS = {"matrix": _matrix, "deadlines": _deadlines, "patterns": _patterns, "advisories": _advisories}
