"""What distinguishes a rule's false positives: values that many of them have and (nearly) none of the others.

Each alert's sample counts once per (field, value). Beside whole values, the networks of addresses (/24, /64) and the folders of
paths are counted, as a scanner seldom has one address and a product seldom one file. Everything is bounded: the newest alerts with
a verdict, the newest undecided ones, and so many fields and letters of each.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator

from sqlalchemy.orm import Session

from kernel.rule_tuning.condition import MAX_VALUE, Condition, problem_of, texts_of
from operations.tuning.samples import Row, Sample, rows_of, samples_of
from operations.tuning.schema import Trait, Traits

NOISE: tuple[str, ...] = ("false_positive", "benign")
MOST = 500
"""Alerts looked at of each: with noise as verdict, true positives, undecided."""

LEAST_SHARE = 0.2
"""A trait is one that at least this part of the false positives has …"""

MOST_OTHERS = 0.05
"""… and at most this part of the other alerts."""

LEAST_ALERTS = 2
MOST_TRAITS = 30
MAX_FIELDS = 200
_SHORT = 256

_PASSING = frozenset(
    {
        "@timestamp", "event.id", "event.original", "event.created", "event.ingested", "event.start", "event.end", "event.sequence",
        "message", "process.pid", "process.parent.pid", "process.entity_id", "process.parent.entity_id", "process.thread.id",
        "winlog.record_id", "winlog.event_data.ProcessGuid", "winlog.event_data.UtcTime", "source.port", "log.offset",
    }
)  # fmt: skip
"""Fields that differ from event to event, or that say it all: nobody excepts by them."""

_TRAILING = ("Guid", "Pid", "ProcessId", "LogonId", "UtcTime", "Time")


def distinguish(session: Session, rule_id: str) -> Traits:
    """The traits, most telling first."""
    noise = rows_of(session, rule_id, MOST + 1, verdicts=NOISE)
    true = rows_of(session, rule_id, MOST + 1, verdicts=("true_positive",))
    newest = rows_of(session, rule_id, 2 * MOST + 1)
    undecided = [row for row in newest if row.verdict is None]
    complete = max(len(noise), len(true), len(undecided)) <= MOST and len(newest) <= 2 * MOST
    counted = [_counts(session, rows[:MOST]) for rows in (noise, true, undecided)]
    sizes = [min(len(rows), MOST) for rows in (noise, true, undecided)]
    return Traits(_traits(counted, sizes), sizes[0], sizes[1], sizes[2], complete)


def _counts(session: Session, rows: list[Row]) -> Counter[Condition]:
    found: Counter[Condition] = Counter()
    for _row, sample in samples_of(session, rows):
        found.update(set(_conditions(sample)))
    return found


def _traits(counted: list[Counter[Condition]], sizes: list[int]) -> list[Trait]:
    noise, true, undecided = counted
    others = sizes[1] + sizes[2]
    found = [
        Trait(condition, number, true[condition], undecided[condition])
        for condition, number in noise.items()
        if number >= max(LEAST_ALERTS, LEAST_SHARE * sizes[0])
        and true[condition] + undecided[condition] <= MOST_OTHERS * others
        and not problem_of(condition)
    ]
    found.sort(key=lambda trait: (trait.true_positives, -trait.noise, trait.undecided, _plainness(trait), trait.condition.field))
    return _without_doubles(found)[:MOST_TRAITS]


def _plainness(trait: Trait) -> tuple[bool, int]:
    """Of two that hide the same the whole value is the narrower one."""
    return trait.condition.operator != "equals", len(trait.condition.value)


def _without_doubles(traits: list[Trait]) -> list[Trait]:
    """A network or folder that covers no more than one whole value of the same field says nothing new."""
    whole = {(one.condition.field, one.noise) for one in traits if one.condition.operator == "equals"}
    return [one for one in traits if one.condition.operator == "equals" or (one.condition.field, one.noise) not in whole]


def _conditions(sample: Sample) -> Iterator[Condition]:
    fields = {**sample.group, **sample.event}
    for field, value in list(fields.items())[:MAX_FIELDS]:
        if field in _PASSING or field.startswith("liandun.") or (field.startswith("winlog.") and field.endswith(_TRAILING)):
            continue
        for text in texts_of(value)[:8]:
            if text.strip() and len(text) <= min(_SHORT, MAX_VALUE):
                yield Condition(field, "equals", text)
                yield from _wider(field, text)


def _wider(field: str, text: str) -> Iterator[Condition]:
    if field.endswith(".ip"):
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return
        network = ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False)
        yield Condition(field, "cidr", str(network))
    elif field.endswith((".executable", ".path", ".Image", "Filename", "ParentImage")):
        for mark in ("\\", "/"):
            folder, found, _name = text.rpartition(mark)
            if found and folder.count(mark) >= 2 and "*" not in folder and "?" not in folder:
                yield Condition(field, "wildcard", f"{folder}{mark}*")
