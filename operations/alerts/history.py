"""Rows of an alert's history, and the notes in them."""

from __future__ import annotations

from typing import Any

import orjson

from operations.audit.schema import Actor
from operations.errors import Invalid

MAX_NOTE = 10_000
HISTORY_COLUMNS = ("alert_id", "time", "actor", "kind", "before", "after", "note", "batch")
"""Columns of a row, in the order of history_row."""


def history_row(
    actor: Actor, alert_id: int, kind: str, before: dict[str, Any], after: dict[str, Any], note: str, batch: str, time: str
) -> dict[str, Any]:
    """A row to insert into ``alert_history``."""
    return {
        "alert_id": alert_id,
        "time": time,
        "actor": actor.name[:160],
        "kind": kind,
        "before": orjson.dumps(before).decode(),
        "after": orjson.dumps(after).decode(),
        "note": note,
        "batch": batch,
    }


def checked_note(note: str) -> str:
    """The note as it is stored. Raises Invalid where it is too long."""
    text = note.strip().replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) > MAX_NOTE:
        raise Invalid(f"a note has at most {MAX_NOTE} characters", field="note")
    return text
