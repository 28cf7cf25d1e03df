"""Alerts: recording detections, reading the queue, and what people do to alerts.

This is the door of the room; the work is done in ``record`` (detections → alerts), ``listing``, ``facets`` and ``triage``.
"""

from __future__ import annotations

from operations.alerts.bulk import (
    MOST,
    get_bulk,
    prepare,
    prepare_undo,
    preview_of,
    remove_drafts,
    start,
)
from operations.alerts.bulk_run import resume, run_bulk, run_in_background
from operations.alerts.by_entity import count_by_entity
from operations.alerts.facets import SAMPLE, facets, sample_size, timeline, top
from operations.alerts.listing import count_alerts, latest_id, list_alerts, matching_ids, new_since
from operations.alerts.reading import get_alert, get_detail, list_detections, related
from operations.alerts.record import DEFAULT_WINDOW, record_detections
from operations.alerts.triage import MAX_BULK, add_note, change_alert, change_alerts, undo_change

__all__ = [
    "DEFAULT_WINDOW",
    "MAX_BULK",
    "MOST",
    "SAMPLE",
    "add_note",
    "change_alert",
    "change_alerts",
    "count_alerts",
    "count_by_entity",
    "facets",
    "get_alert",
    "get_bulk",
    "get_detail",
    "latest_id",
    "list_alerts",
    "list_detections",
    "matching_ids",
    "new_since",
    "prepare",
    "prepare_undo",
    "preview_of",
    "record_detections",
    "related",
    "remove_drafts",
    "resume",
    "run_bulk",
    "run_in_background",
    "sample_size",
    "start",
    "timeline",
    "top",
    "undo_change",
]
