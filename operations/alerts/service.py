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
from operations.alerts.facets import DIMENSIONS, SAMPLE, facets, sample_size, timeline, top
from operations.alerts.listing import count_alerts, latest_id, list_alerts, matching_ids, new_since
from operations.alerts.merging import MOST_MERGED, merge_alerts, merged_into
from operations.alerts.reading import get_alert, get_alerts, get_detail, list_detections, related
from operations.alerts.record import DEFAULT_WINDOW, record_detections
from operations.alerts.saved_views import BUILT_IN, change_view, create_view, delete_view, get_view, list_views
from operations.alerts.similar import similar_alerts
from operations.alerts.suppressions import (
    count_asked,
    get_suppression,
    lift,
    list_suppressions,
    preview_suppression,
    release,
    suppress,
    suppression_of,
)
from operations.alerts.triage import MAX_BULK, add_note, change_alert, change_alerts, undo_change

__all__ = [
    "BUILT_IN",
    "DEFAULT_WINDOW",
    "DIMENSIONS",
    "MAX_BULK",
    "MOST",
    "MOST_MERGED",
    "SAMPLE",
    "add_note",
    "change_alert",
    "change_alerts",
    "change_view",
    "count_alerts",
    "count_asked",
    "count_by_entity",
    "create_view",
    "delete_view",
    "facets",
    "get_alert",
    "get_alerts",
    "get_bulk",
    "get_detail",
    "get_suppression",
    "get_view",
    "latest_id",
    "lift",
    "list_alerts",
    "list_detections",
    "list_suppressions",
    "list_views",
    "matching_ids",
    "merge_alerts",
    "merged_into",
    "new_since",
    "prepare",
    "prepare_undo",
    "preview_of",
    "preview_suppression",
    "record_detections",
    "related",
    "release",
    "remove_drafts",
    "resume",
    "run_bulk",
    "run_in_background",
    "sample_size",
    "similar_alerts",
    "start",
    "suppress",
    "suppression_of",
    "timeline",
    "top",
    "undo_change",
]
