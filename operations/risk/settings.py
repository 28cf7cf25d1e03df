"""The numbers behind risk: as shipped (standard.yml), or as this site decided."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import orjson
import yaml
from sqlalchemy.orm import Session

from kernel.detection import LEVELS
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid, Stale
from operations.risk.models import RiskSetting
from operations.risk.schema import FACTORS, Setting

NAME = "numbers"
MAX_SOURCE = 512
MAX_WEIGHT = 5
HOPS: tuple[str, ...] = ("1", "2", "3", "more", "none")
ASSUMED: tuple[str, ...] = ("exposure", "vulnerability", "importance")
BANDS: tuple[str, ...] = ("critical", "high", "medium")
PARTS: tuple[str, ...] = ("weights", "assumed", "hops", "quiet", "alerts", "incident", "indicator", "window_days", "bands")


@cache
def shipped() -> Setting:
    """standard.yml."""
    found = yaml.safe_load(resources.files(__package__).joinpath("standard.yml").read_text("utf-8"))
    return Setting(found["value"], found["source"], found["to_be_confirmed"], source_zh=found["source_zh"])


def get(session: Session) -> Setting:
    """The numbers in force."""
    row = session.get(RiskSetting, NAME)
    return _record(row) if row is not None else shipped()


def change(
    session: Session, who: Principal, value: Any, source: str, to_be_confirmed: bool, *, expected_version: int | None
) -> Setting:
    """Replace the numbers; every score is computed anew by the scheduler. Raises Invalid, Stale."""
    row = session.get(RiskSetting, NAME, with_for_update=True)
    before = _record(row) if row is not None else shipped()
    if expected_version is not None and before.version != expected_version:
        raise Stale("the numbers were changed by somebody else", "reload them and decide again")
    source = source.strip()
    if not source or len(source) > MAX_SOURCE:
        raise Invalid(f"say where the values come from, in at most {MAX_SOURCE} characters", field="source")
    checked = check(value)
    if row is None:
        row = RiskSetting(name=NAME, version=0)
        session.add(row)
    row.value, row.source, row.to_be_confirmed = orjson.dumps(checked).decode(), source, to_be_confirmed
    row.changed_at, row.changed_by, row.version = clock.now(), who.actor.name[:160], row.version + 1
    detail = {"before": before.value, "after": checked, "source": source, "to_be_confirmed": to_be_confirmed}
    audit.append(session, who.actor, "risk.settings", "setting", "risk", detail=detail)
    session.flush()
    return _record(row)


def check(value: Any) -> dict[str, Any]:
    """The numbers where they make sense. Raises Invalid naming the one that does not."""
    parts = _table(value, PARTS, "value")
    made: dict[str, Any] = {
        "weights": _numbers(parts["weights"], FACTORS, "weights", 0, MAX_WEIGHT),
        "assumed": _numbers(parts["assumed"], ASSUMED, "assumed", 0.01, 1),
        "hops": _numbers(parts["hops"], HOPS, "hops", 0.01, 1),
        "quiet": _number(parts["quiet"], "quiet", 0.01, 1),
        "alerts": _numbers(parts["alerts"], tuple(reversed(LEVELS)), "alerts", 0, 5),
        "incident": _number(parts["incident"], "incident", 0, 5),
        "indicator": _number(parts["indicator"], "indicator", 0, 5),
        "window_days": _number(parts["window_days"], "window_days", 1, 365),
        "bands": _numbers(parts["bands"], BANDS, "bands", 1, 100),
    }
    if not sum(made["weights"].values()):
        raise Invalid("at least one factor needs a weight", field="weights")
    steps = [made["hops"][name] for name in HOPS]
    if steps != sorted(steps, reverse=True):
        raise Invalid("more boundaries cannot expose more", field="hops")
    bands = [made["bands"][name] for name in BANDS]
    if bands != sorted(bands, reverse=True) or len(set(bands)) < len(bands):
        raise Invalid("a higher band begins at a higher score", field="bands")
    return made


def _table(value: Any, keys: tuple[str, ...], field: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Invalid(f"{field} needs exactly {', '.join(keys)}", field=field)
    return value


def _numbers(value: Any, keys: tuple[str, ...], field: str, least: float, most: float) -> dict[str, float]:
    row = _table(value, keys, field)
    return {key: _number(row[key], f"{field}.{key}", least, most) for key in keys}


def _number(value: Any, field: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Invalid(f"{field} lies between {least} and {most}", field=field)
    return value


def _record(row: RiskSetting) -> Setting:
    return Setting(orjson.loads(row.value), row.source, row.to_be_confirmed, row.changed_at, row.changed_by, row.version)
