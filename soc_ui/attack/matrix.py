"""The matrix from rules and alerts: per technique the number of rules and alerts, sub-techniques within their technique. Pure.

attack.json holds names and tactics (facts of MITRE ATT&CK, with their version), names_zh.json our own Chinese names; tags are as
in Sigma: ``attack.t1059.001``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DOMAINS: tuple[str, ...] = ("enterprise", "ics")
_TAG = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", re.IGNORECASE)


@dataclass(frozen=True)
class Technique:
    """A cell. ``rules`` and ``alerts`` are its own; ``all_rules`` and ``all_alerts`` with its sub-techniques."""

    id: str
    name: str
    rules: int
    alerts: int
    below: tuple[Technique, ...] = ()

    @property
    def name_zh(self) -> str:
        """Its Chinese name, the English one where there is none."""
        return names_zh().get(self.name, self.name)

    @property
    def all_rules(self) -> int:
        return self.rules + sum(one.rules for one in self.below)

    @property
    def all_alerts(self) -> int:
        return self.alerts + sum(one.alerts for one in self.below)

    @property
    def ids(self) -> list[str]:
        """Its id and those below, as tags."""
        return [f"attack.{one.lower()}" for one in (self.id, *(sub.id for sub in self.below))]


@dataclass(frozen=True)
class Column:
    """A tactic with its techniques."""

    id: str
    name: str
    name_zh: str
    techniques: tuple[Technique, ...]


@dataclass(frozen=True)
class Matrix:
    """One domain; ``techniques`` holds each once, without sub-techniques; ``strange``: techniques of tags that the data lacks."""

    domain: str
    columns: tuple[Column, ...]
    techniques: Mapping[str, Technique]
    strange: tuple[str, ...] = field(default=())

    @property
    def covered(self) -> int:
        return sum(one.all_rules > 0 for one in self.techniques.values())


@cache
def data() -> dict[str, Any]:
    """attack.json."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("attack.json").read_text("utf-8"))
    return found


@cache
def names_zh() -> dict[str, str]:
    """English name of a technique → ours in Chinese."""
    found: dict[str, str] = json.loads(Path(__file__).with_name("names_zh.json").read_text("utf-8"))
    return found


def techniques_of(tags: Iterable[str]) -> set[str]:
    """Technique ids that tags name."""
    return {match[1].upper() for tag in tags if (match := _TAG.fullmatch(tag))}


def build(domain: str, rules: Iterable[Iterable[str]], alerts: Mapping[str, int]) -> Matrix:
    """``rules``: the tags of every rule in use; ``alerts``: tag → number of alerts."""
    of = data()[domain]
    known: dict[str, Any] = of["techniques"]
    covered: Counter[str] = Counter(technique for tags in rules for technique in techniques_of(tags))
    seen: Counter[str] = Counter()
    for tag, number in alerts.items():
        for technique in techniques_of((tag,)):
            seen[technique] += number
    below: dict[str, list[Technique]] = {}
    for number, (name, _tactics) in known.items():
        if "." in number:
            below.setdefault(number.partition(".")[0], []).append(Technique(number, name, covered[number], seen[number]))
    cells = {
        number: Technique(number, name, covered[number], seen[number], tuple(below.get(number, ())))
        for number, (name, _tactics) in known.items()
        if "." not in number
    }
    columns = tuple(
        Column(tactic, name, zh, tuple(sorted((cells[n] for n in cells if tactic in known[n][1]), key=lambda cell: cell.name)))
        for tactic, name, zh in of["tactics"]
    )
    every = {number for one in DOMAINS for number in data()[one]["techniques"]}
    return Matrix(of["domain"], columns, cells, tuple(sorted(set(covered) - every)))


def layer(matrix: Matrix, name: str) -> dict[str, Any]:
    """The matrix as a layer of the ATT&CK Navigator (layer format 4.5): score = number of rules, the alerts in the comment."""
    cells = [one for cell in matrix.techniques.values() for one in (cell, *cell.below)]
    most = max((cell.rules for cell in cells), default=0)
    return {
        "name": name,
        "versions": {"attack": data()["version"].partition(".")[0], "navigator": "5.0.0", "layer": "4.5"},
        "domain": matrix.domain,
        "description": data()["source"],
        "sorting": 0,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": [
            {
                "techniqueID": cell.id,
                "score": cell.rules,
                "comment": f"{cell.rules} rules, {cell.alerts} alerts in 30 days",
                "enabled": True,
                "metadata": [{"name": "rules", "value": str(cell.rules)}, {"name": "alerts", "value": str(cell.alerts)}],
            }
            for cell in cells
            if cell.rules or cell.alerts
        ],
        "gradient": {"colors": ["#ffffff", "#206bc4"], "minValue": 0, "maxValue": max(1, most)},
        "legendItems": [{"label": "rules", "color": "#206bc4"}],
    }
