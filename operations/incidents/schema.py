"""Records of incidents as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec

from operations.incidents.clocks import Clock
from operations.incidents.grading import Suggestion

UNSET = msgspec.UNSET
UnsetType = msgspec.UnsetType


class IncidentRow(msgspec.Struct, frozen=True):
    """One row of the list. ``level`` 0 and ``class_code`` "" = undecided; ``clocks`` as of the moment of reading."""

    id: int
    number: str
    title: str
    drill: bool
    severity: str
    phase: str
    cause: str
    class_code: str
    level: int
    suggested_class: str
    suggested_level: int
    operator: str
    assignee: str
    zones: list[str]
    organisations: list[str]
    occurred_at: str
    detected_at: str
    acknowledged_at: str
    contained_at: str
    resolved_at: str
    closed_at: str
    reported_at: str
    closing_reported_at: str
    paused: bool
    next_due: str
    merged_into: int | None
    created_at: str
    created_by: str
    updated_at: str
    version: int
    clocks: list[Clock]


class IncidentDetail(msgspec.Struct, frozen=True):
    """Everything of the summary; the other parts have their own lists."""

    incident: IncidentRow
    description: str
    origin: str
    reporter: str
    factors: dict[str, str]
    decided_at: str
    decided_by: str
    decided_reason: str
    suggestion: Suggestion
    pauses: list[list[str]]
    alerts: int
    hidden_alerts: int


class IncidentFilter(msgspec.Struct, frozen=True):
    """Which incidents. Values of one field are alternatives, fields narrow each other; empty means any.

    clock  overdue or soon: what the earliest running deadline is
    drill  None = both
    start/end  half-open range of ``detected_at``
    """

    phase: tuple[str, ...] = ()
    level: tuple[int, ...] = ()
    severity: tuple[str, ...] = ()
    class_code: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    clock: str = ""
    drill: bool | None = None
    text: str = ""
    start: str = ""
    end: str = ""


class IncidentPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next ("" at the end); ``hidden``: how many of all a scope hides (not of the filter)."""

    incidents: list[IncidentRow]
    cursor: str = ""
    hidden: int = 0


class NewIncident(msgspec.Struct, frozen=True):
    """What a person enters. Zones and organisations of alerts are added by themselves."""

    title: str
    description: str = ""
    origin: str = "hotline"
    reporter: str = ""
    drill: bool = False
    severity: str = "medium"
    operator: str = "other"
    assignee: str = ""
    zones: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    occurred_at: str = ""
    detected_at: str = ""
    alert_ids: tuple[int, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """What to change; fields left out stay."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reporter: str | UnsetType = UNSET
    severity: str | UnsetType = UNSET
    operator: str | UnsetType = UNSET
    assignee: str | UnsetType = UNSET
    zones: tuple[str, ...] | UnsetType = UNSET
    organisations: tuple[str, ...] | UnsetType = UNSET
    occurred_at: str | UnsetType = UNSET
    detected_at: str | UnsetType = UNSET


class Decision(msgspec.Struct, frozen=True):
    """Class and level as a person decides them: by the three factors, the level follows; another level needs its reason."""

    class_code: str
    object: str
    loss: str
    harm: str
    reason: str
    level: int = 0


class TaskRecord(msgspec.Struct, frozen=True):
    """A task; ``template`` "" = by hand."""

    id: int
    template: str
    title: str
    phase: str
    status: str
    assignee: str
    due_at: str
    result: str
    created_at: str
    created_by: str
    done_at: str
    done_by: str
    version: int


class TaskChange(msgspec.Struct, frozen=True):
    """What to change of a task; fields left out stay."""

    status: str | UnsetType = UNSET
    assignee: str | UnsetType = UNSET
    due_at: str | UnsetType = UNSET
    result: str | UnsetType = UNSET


class Entry(msgspec.Struct, frozen=True):
    """A timeline entry, see models.TimelineEntry."""

    id: int
    time: str
    recorded_at: str
    actor: str
    kind: str
    act: str
    detail: dict[str, Any]
    text: str
    alert_id: int | None


class Indicator(msgspec.Struct, frozen=True):
    """A sign of the attack; ``elsewhere``: ids of other incidents (that may be seen) with the same value."""

    id: int
    kind: str
    value: str
    source: str
    note: str
    added_at: str
    added_by: str
    elsewhere: list[int] = []


class Affected(msgspec.Struct, frozen=True):
    """An affected device or service."""

    id: int
    kind: str
    name: str
    zone: str
    layer: str
    organisation: str
    state: str
    impact: str
    added_at: str
    added_by: str
    version: int


class EvidenceRecord(msgspec.Struct, frozen=True):
    """A sealed package; ``links`` (custody, oldest first) only where one was asked for, ``problem`` "" = it is in order."""

    id: int
    evidence: str
    name: str
    sm3: str
    size: int
    events: int
    left_out: int
    head: str
    sealed_at: str
    sealed_by: str
    version: int
    links: list[dict[str, Any]] = []
    problem: str = ""


class ReportRecord(msgspec.Struct, frozen=True):
    """An issued report."""

    id: int
    number: str
    kind: str
    language: str
    issued_at: str
    issued_by: str
    docx_sm3: str
    pdf_sm3: str
    submitted_at: str
    submitted_to: str
    receipt: str
    version: int


class Review(msgspec.Struct, frozen=True):
    """The review; version 0 = nobody has written one yet."""

    root_cause: str = ""
    measures: str = ""
    harm: str = ""
    responsibility: str = ""
    lessons: str = ""
    changed_at: str = ""
    changed_by: str = ""
    version: int = 0


class Action(msgspec.Struct, frozen=True):
    """An improvement action."""

    id: int
    title: str
    owner: str
    due_at: str
    status: str
    created_at: str
    created_by: str
    version: int


class Times(msgspec.Struct, frozen=True):
    """A time to do something over a period: seconds, and over how many incidents; None where there is none."""

    count: int
    mean: float | None
    median: float | None


class Metrics(msgspec.Struct, frozen=True):
    """MTTD (occurred → detected), MTTA (detected → acknowledged), MTTC (→ contained), MTTR (→ resolved); drills left out."""

    incidents: int
    drills: int
    detect: Times
    acknowledge: Times
    contain: Times
    resolve: Times
