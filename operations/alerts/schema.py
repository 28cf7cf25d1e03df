"""Records of alerts as other rooms see them: what goes in (filter, change) and what comes out (rows, details, facets)."""

from __future__ import annotations

from typing import Any

import msgspec

from kernel.detection import MatchedField
from operations.alerts.models import SETTABLE, STATUSES, SUPPRESSED

UNASSIGNED = "-"
"""Stands for "nobody" in the assignee filter and facet."""


class RecordResult(msgspec.Struct, frozen=True):
    """What a batch of detections did: alerts made, alerts counted up, detections that had been recorded before."""

    new_alert_ids: list[int]
    updated_alert_ids: list[int]
    repeated: int = 0


class AlertRow(msgspec.Struct, frozen=True):
    """One row of the queue. ``first_seen``/``last_seen`` are event times, ``created_at``/``updated_at`` ours; all UTC text."""

    id: int
    rule_id: str
    rule_name: str
    engine: str
    level: str
    status: str
    verdict: str | None
    assignee: str | None
    count: int
    first_seen: str
    last_seen: str
    created_at: str
    updated_at: str
    host: str | None
    user: str | None
    source_ip: str | None
    destination_ip: str | None
    dataset: str
    source: str
    tags: list[str]
    version: int
    suppressed_by: int | None = None
    merged_into: int | None = None


class Entity(msgspec.Struct, frozen=True):
    """Something an alert is about: ``kind`` of models.ENTITY_KINDS; ``role`` is the event field it came from."""

    kind: str
    value: str
    role: str = ""


class HistoryEntry(msgspec.Struct, frozen=True):
    """A change (``before``/``after`` hold the changed fields) or a note."""

    id: int
    time: str
    actor: str
    kind: str  # change | note | merge | unmerge
    before: dict[str, Any]
    after: dict[str, Any]
    note: str
    batch: str


class AlertDetail(msgspec.Struct, frozen=True):
    """Everything about one alert. ``event`` is the first triggering event (very long values cut)."""

    alert: AlertRow
    event: dict[str, Any]
    matched: list[MatchedField]
    description: str
    author: str
    references: list[str]
    falsepositives: list[str]
    rule_file: str
    group: dict[str, str]
    entities: list[Entity]
    history: list[HistoryEntry]


class DetectionRow(msgspec.Struct, frozen=True):
    """A counted detection: the events it fired on are in the event store."""

    id: str
    time: str
    event_ids: list[str]


class DetectionPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    detections: list[DetectionRow]
    cursor: str = ""


class AlertFilter(msgspec.Struct, frozen=True):
    """Which alerts. Values of one field are alternatives, fields narrow each other; empty means any.

    entity    (kind, value) pairs, all of which must be there
    assignee  user names; ``UNASSIGNED`` for nobody
    text      words that must all occur (any case, anywhere) in rule name, entities, or matched values
    start/end half-open range of ``last_seen`` (@timestamp text)
    suppression  ids of suppressions that the alerts began under
    lead      ids of alerts that others are merged into
    """

    status: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    entity: tuple[tuple[str, str], ...] = ()
    text: str = ""
    start: str = ""
    end: str = ""
    suppression: tuple[int, ...] = ()
    lead: tuple[int, ...] = ()


def narrowed(status: tuple[str, ...], suppressed: str) -> tuple[str, ...]:
    """The statuses that ``suppressed`` yes or no leaves of those asked for; yes with others than ``suppressed`` itself means it."""
    if suppressed == "yes":
        return (SUPPRESSED,)
    if suppressed == "no":
        return tuple(one for one in status or STATUSES if one != SUPPRESSED) or SETTABLE
    return status


class AlertPage(msgspec.Struct, frozen=True):
    """One page, newest ``last_seen`` first (or oldest); ``cursor`` fetches the next one ("" at the end)."""

    alerts: list[AlertRow]
    cursor: str = ""


class Count(msgspec.Struct, frozen=True):
    """A number of rows; ``exact`` is False when there are more than were counted ("10,000+")."""

    count: int
    exact: bool = True

    @staticmethod
    def up_to(most: int, found: int) -> Count:
        """Of ``found`` rows, where looking stopped after ``most`` + 1."""
        return Count(min(found, most), found <= most)


class FacetValue(msgspec.Struct, frozen=True):
    """A value with the number of alerts that have it; ``label`` is for people (a rule's name)."""

    value: str
    count: int
    label: str = ""


class Facet(msgspec.Struct, frozen=True):
    """The most frequent values of one dimension, the filter on itself left out.

    ``exact`` is False where only the newest matching alerts were counted (facets.sample_size); ``later`` True where it has not been
    counted, because that takes longer than a page should wait.
    """

    dimension: str  # status | level | engine | rule | host | tag | assignee | verdict
    values: list[FacetValue]
    exact: bool = True
    later: bool = False


class TimelineBar(msgspec.Struct, frozen=True):
    """Alerts by level in one time slice; ``start`` is @timestamp text."""

    start: str
    counts: dict[str, int]


class Change(msgspec.Struct, frozen=True):
    """What to change; fields left out stay. ``assignee`` None takes the alert from whoever had it."""

    status: str | msgspec.UnsetType = msgspec.UNSET
    verdict: str | msgspec.UnsetType | None = msgspec.UNSET
    assignee: str | msgspec.UnsetType | None = msgspec.UNSET


def given(change: Change) -> dict[str, Any]:
    """The fields that a change names, with their values."""
    return {field: getattr(change, field) for field in change.__struct_fields__ if getattr(change, field) is not msgspec.UNSET}


class MassResult(msgspec.Struct, frozen=True):
    """Ids that changed; how many had nothing to change; ids that somebody changed in between; ids that are not there."""

    changed: list[int]
    unchanged: int
    overtaken: list[int]
    missing: list[int]


class BulkResult(msgspec.Struct, frozen=True):
    """Outcome of a bulk change; ``batch`` undoes it (service.undo_change)."""

    batch: str
    changed: int
    unchanged: int
    missing: list[int]
