"""Parts about what comes in: the event store, the sources, the rules and indicators that look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.probes.formats.platform import DAY, MOST_NAMED, CollectorFact, OriginFact, Rules, Sources, Store
from kernel.config import Config
from kernel.config.platform import ROOT
from kernel.errors import LiandunError
from kernel.event import timestamp_from_micros
from kernel.health import read_health
from kernel.layout import Layout
from kernel.query import parse_query
from kernel.store.contract import EventStore, TimeRange
from operations import clock
from operations.indicators.models import IndicatorRow

SPEAKING_DAYS, BEFORE_DAYS = 1, 7


class _Rule(msgspec.Struct):
    engine: str = ""
    file: str = ""


class _Catalogue(msgspec.Struct):
    rules: list[_Rule] = []
    failures: list[dict[str, Any]] = []


def store(found: EventStore, config: Config) -> Store:
    """What it holds, and how long it keeps it."""
    told = found.statistics()
    return Store(
        engine=config.store.engine,
        retention_days=config.store.retention_days,
        demo=config.platform.demo,
        events=int(told.get("events", 0)),
        earliest=str(told.get("earliest", "")),
        latest=str(told.get("latest", "")),
        damaged=tuple(sorted(map(str, told.get("damaged", {}))))[:MOST_NAMED],
    )


def sources(found: EventStore, layout: Layout, now: str) -> Sources:
    """Collectors as the ingest role tells of them, and the data sets of the last day against those of the week before."""
    role = read_health(layout.health).get("ingest")
    told: dict[str, dict[str, Any]] = role.details.get("sources", {}) if role else {}
    day = clock.shift(now, -SPEAKING_DAYS * DAY)
    speaking = _data_sets(found, TimeRange(day, ""))
    before = _data_sets(found, TimeRange(clock.shift(day, -BEFORE_DAYS * DAY), day))
    return Sources(
        runs=role is not None and role.alive,
        collectors=tuple(
            CollectorFact(name, int(one.get("received", 0)), str(one.get("error", ""))) for name, one in sorted(told.items())
        ),
        speaking=tuple(sorted(speaking)),
        silent=tuple(sorted(before - speaking)),
    )


def _data_sets(found: EventStore, when: TimeRange) -> set[str]:
    return {str(one.key) for one in found.top(parse_query(""), when, "event.dataset", limit=1_000)}


def rules(session: Session, config: Config, layout: Layout, now: str) -> Rules:
    """What the worker said of its rules when it loaded them, and indicators in force by origin.

    Raises LiandunError where the worker has not said anything yet.
    """
    try:
        catalogue = msgspec.json.decode(layout.catalogue.read_bytes(), type=_Catalogue)
    except (OSError, msgspec.DecodeError) as error:
        raise LiandunError("the worker has not said yet which rules it runs", "start the platform") from error
    engines, newest = dict[str, int](), dict[str, str]()
    files, bases = dict[str, str](), _bases(config, layout)
    for rule in catalogue.rules:
        engines[rule.engine] = engines.get(rule.engine, 0) + 1
        if rule.file not in files:
            files[rule.file] = _written(rule.file, bases)
        newest[rule.engine] = max(newest.get(rule.engine, ""), files[rule.file])
    live = IndicatorRow.revoked_at == "", IndicatorRow.valid_until > now
    query = select(IndicatorRow.origin, func.count(), func.max(IndicatorRow.changed_at)).where(*live).group_by(IndicatorRow.origin)
    origins = session.execute(query.order_by(IndicatorRow.origin).limit(MOST_NAMED))
    return Rules(now, engines, len(catalogue.failures), newest, tuple(OriginFact(*row) for row in origins))


def _bases(config: Config, layout: Layout) -> list[Path]:
    """Folders that names of rule files are relative to: our own sets, imported ones, and those of the configuration."""
    own = [ROOT / "rules" / engine for engine in ("sigma", "yara", "suricata")]
    imported = sorted(path for path in layout.rules.iterdir() if path.is_dir()) if layout.rules.is_dir() else []
    return [*own, *imported, *(path if path.is_dir() else path.parent for path in config.detect.rules)]


def _written(name: str, bases: list[Path]) -> str:
    """When a rule file was written last, "" where it is not found."""
    for base in bases if name else ():
        try:
            return timestamp_from_micros((base / name).stat().st_mtime_ns // 1_000)
        except (OSError, ValueError):
            continue
    return ""
