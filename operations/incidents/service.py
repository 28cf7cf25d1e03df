"""Incidents: making, reading, changing, deciding, closing. The door of the room; each part of the work stands in its own file."""

from __future__ import annotations

from operations.incidents.affected import add_asset, change_asset, list_assets
from operations.incidents.change import acknowledge, change_incident, decide, move, pause, resume
from operations.incidents.evidence import copy as copy_evidence
from operations.incidents.evidence import hand_on, list_evidence, open_payload, seal, verify
from operations.incidents.evidence_events import collect
from operations.incidents.indicators import add_indicator, list_indicators, remove_indicator, watch, watched
from operations.incidents.linking import MAX_ALERTS, add_alerts, remove_alert
from operations.incidents.listing import SORTS, UNASSIGNED, count_incidents, facets, facets_and_count, list_incidents, open_names
from operations.incidents.merging import merge
from operations.incidents.metrics import metrics
from operations.incidents.people import assignable
from operations.incidents.reading import alerts_of, get_detail, get_incident, incident_of_alert
from operations.incidents.record import create_incident
from operations.incidents.reminding import remind
from operations.incidents.reports import issue, list_reports, read_file, submit
from operations.incidents.review import add_action, change_action, get_review, list_actions, write_review
from operations.incidents.tasks import add_task, change_task, get_task, list_tasks, title_of, use_template
from operations.incidents.timeline import entries, write
from operations.incidents.timing import deadline_table, set_deadline

__all__ = [
    "MAX_ALERTS",
    "SORTS",
    "UNASSIGNED",
    "acknowledge",
    "add_action",
    "add_alerts",
    "add_asset",
    "add_indicator",
    "add_task",
    "alerts_of",
    "assignable",
    "change_action",
    "change_asset",
    "change_incident",
    "change_task",
    "collect",
    "copy_evidence",
    "count_incidents",
    "create_incident",
    "deadline_table",
    "decide",
    "entries",
    "facets",
    "facets_and_count",
    "get_detail",
    "get_incident",
    "get_review",
    "get_task",
    "hand_on",
    "incident_of_alert",
    "issue",
    "list_actions",
    "list_assets",
    "list_evidence",
    "list_incidents",
    "list_indicators",
    "list_reports",
    "list_tasks",
    "merge",
    "metrics",
    "move",
    "open_names",
    "open_payload",
    "pause",
    "read_file",
    "remind",
    "remove_alert",
    "remove_indicator",
    "resume",
    "seal",
    "set_deadline",
    "submit",
    "title_of",
    "use_template",
    "verify",
    "watch",
    "watched",
    "write",
    "write_review",
]
