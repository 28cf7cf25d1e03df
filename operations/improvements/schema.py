"""Records of the improvement register."""

from __future__ import annotations

import msgspec


class Draft(msgspec.Struct, frozen=True):
    """A proposal. ``due_at`` @timestamp text or ""."""

    title: str
    body: str = ""
    source: str = "suggestion"
    organisation: str = ""
    responsible: str = ""
    due_at: str = ""


class ImprovementRow(msgspec.Struct, frozen=True):
    """As in operations.improvements.models; ``overdue``: its due moment has passed and it is not done."""

    id: int
    title: str
    body: str
    source: str
    origin: str | None
    organisation: str
    responsible: str
    state: str
    due_at: str | None
    result: str
    effect: str
    created_by: str
    created_at: str
    updated_at: str
    done_by: str
    verified_by: str
    version: int
    overdue: bool


class Step(msgspec.Struct, frozen=True):
    """What happened: propose, accept, decline, start, finish, verify, reopen."""

    time: str
    actor: str
    act: str
    note: str


class Detail(msgspec.Struct, frozen=True):
    """One improvement; ``acts`` that this person may do now."""

    improvement: ImprovementRow
    steps: list[Step]
    acts: list[str]


class ImprovementFilter(msgspec.Struct, frozen=True):
    """Empty fields do not narrow."""

    state: str = ""
    source: str = ""
    organisation: str = ""
    overdue: bool = False
    text: str = ""


class ImprovementPage(msgspec.Struct, frozen=True):
    """One page, last changed first; ``cursor`` "" at the end."""

    improvements: list[ImprovementRow]
    cursor: str = ""
