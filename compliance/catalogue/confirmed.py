"""What an operator has compared with the printed text, laid over the catalogue as it ships.

A record of the catalogue names its fields that nobody has compared (``to_be_confirmed``). Each of them can be confirmed as it is,
or set right, with the source that was read; then the mark is gone. No other field can be changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from compliance.catalogue.model import (
    CryptoRequirements,
    CryptoUnit,
    HighRiskCase,
    HighRiskGuide,
    Item,
    Requirements,
    SecurityClass,
)


class Confirmed(msgspec.Struct, frozen=True):
    """One field. ``record``: its clause, for cases key_of_case. ``value``: JSON, "" = it is right as it ships."""

    record: str
    field: str
    value: str
    source: str
    by: str
    at: str


_R = TypeVar("_R", Item, CryptoUnit, HighRiskCase)
_By = Mapping[str, list[Confirmed]]


def key_of_case(year: int, case: str) -> str:
    """How a case of the guide of ``year`` is called among all records."""
    return f"{year}/{case}"


def patched(record: _R, entries: Iterable[Confirmed]) -> _R:
    """The record with what was confirmed. Raises msgspec.ValidationError for a value that the field cannot have."""
    told: dict[str, Any] = msgspec.to_builtins(record)
    for one in entries:
        if one.field in record.to_be_confirmed:
            if one.value:
                told[one.field] = msgspec.json.decode(one.value)
            told["to_be_confirmed"] = [name for name in told["to_be_confirmed"] if name != one.field]
    return msgspec.convert(told, type(record))


def in_requirements(whole: Requirements, entries: Iterable[Confirmed]) -> Requirements:
    """The same with what was confirmed of its items."""
    by = _by_record(entries)
    extensions = tuple(msgspec.structs.replace(one, classes=_classes(one.classes, by)) for one in whole.extensions)
    return msgspec.structs.replace(whole, classes=_classes(whole.classes, by), extensions=extensions)


def in_crypto(whole: CryptoRequirements, entries: Iterable[Confirmed]) -> CryptoRequirements:
    """The same with what was confirmed of its units."""
    by = _by_record(entries)
    layers = tuple(msgspec.structs.replace(layer, units=tuple(_all(layer.units, by))) for layer in whole.layers)
    return msgspec.structs.replace(whole, layers=layers)


def in_guide(whole: HighRiskGuide, entries: Iterable[Confirmed]) -> HighRiskGuide:
    """The same with what was confirmed of its cases."""
    by = _by_record(entries)
    return msgspec.structs.replace(
        whole, cases=tuple(_held(one, by.get(key_of_case(whole.year, one.id), ())) for one in whole.cases)
    )


def _classes(classes: tuple[SecurityClass, ...], by: _By) -> tuple[SecurityClass, ...]:
    return tuple(
        msgspec.structs.replace(
            one,
            control_points=tuple(
                msgspec.structs.replace(point, items=tuple(_all(point.items, by))) for point in one.control_points
            ),
        )
        for one in classes
    )


def _all(records: Iterable[_R], by: _By) -> Iterator[_R]:
    return (_held(one, by.get(one.id, ())) for one in records)


def _held(record: _R, entries: Iterable[Confirmed]) -> _R:
    """What an earlier version confirmed with a value that the field cannot have any more is to be confirmed again."""
    for one in entries:
        try:
            record = patched(record, [one])
        except msgspec.MsgspecError:
            continue
    return record


def _by_record(entries: Iterable[Confirmed]) -> _By:
    found: dict[str, list[Confirmed]] = {}
    for one in entries:
        found.setdefault(one.record, []).append(one)
    return found
