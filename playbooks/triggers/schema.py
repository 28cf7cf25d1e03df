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


class TriggerPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    triggers: list[Trigger]
    cursor: str = ""
