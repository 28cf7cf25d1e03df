"""Records of triggers as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says a trigger is; fields as of models.PlaybookTrigger.

    condition  JSON object for ``kind`` (conditions); variables: external variable → text with fields in braces (templates). What is
               known of the subject (shelf.prefill) is filled in by itself where nothing stands here
    """

    name: str
    playbook_id: str
    kind: str
    condition: dict[str, Any]
    variables: dict[str, str] = {}
    throttle_seconds: int = 3_600
    most_per_hour: int = 20


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger as shown (models.PlaybookTrigger)."""

    id: int
    definition: Definition
    enabled: bool
    author: str
    enabled_by: str
    due_at: str
    started: int
    throttled: int
    limited: int
    looped: int
    failed: int
    last_at: str
    last_run_id: int | None
    last_error: str
    created_at: str
    updated_at: str
    revision: int


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that starts a playbook.

    kind, number  what it is: an alert, incident or warning; ``schedule`` has no number
    place         its number in the source that it was found in: up to there has been looked
    key           names this very occasion, once and for all
    entity        what throttling counts by, and what a playbook does not run for twice at once
    actor         who made it: ``playbook:7`` where a run did
    due           for the kind schedule: the moment that was waited for
    """

    kind: str
    number: int = 0
    place: int = 0
    key: str
    entity: str
    actor: str = ""
    due: str = ""


class Found(msgspec.Struct, frozen=True):
    """Subjects in order, and up to which number the source has been looked at by that."""

    subjects: list[Subject]
    mark: int


class TriggerPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    triggers: list[Trigger]
    cursor: str = ""
