"""Records of bulk acts."""

from __future__ import annotations

from typing import Any

import msgspec


class Preview(msgspec.Struct, frozen=True):
    """What a bulk would touch: numbers by level, rule, zone, status (value, label, number), the most frequent first.

    settled  already as wanted; hidden: asked for, but not there for this person; cut: more match than one bulk may hold;
    overtaken: changed by somebody since the list was made
    """

    total: int
    by_level: list[tuple[str, str, int]]
    by_rule: list[tuple[str, str, int]]
    by_zone: list[tuple[str, str, int]]
    by_status: list[tuple[str, str, int]]
    settled: int
    hidden: int
    cut: bool = False
    overtaken: int = 0


class Bulk(msgspec.Struct, frozen=True):
    """A bulk act as it stands. ``named``: the first alerts that somebody changed in between; ``digest``: SM3 of its list."""

    id: str
    owner: str
    kind: str  # change | undo
    state: str  # draft | waiting | running | done | interrupted
    change: dict[str, Any]
    note: str
    total: int
    done: int
    changed: int
    unchanged: int
    overtaken: int
    missing: int
    named: list[int]
    digest: str
    problem: str
    undoes: str
    created_at: str
    finished_at: str | None

    @property
    def ended(self) -> bool:
        return self.state in ("done", "interrupted")
