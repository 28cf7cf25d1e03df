"""``/api/v1/events``: the event store. Searches are written to the audit trail: events hold personal data."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.audit import service as audit
from operations.errors import NotFound
from soc_ui.api import event_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.services import services

events = APIBlueprint("api_events", __name__, url_prefix="/api/v1/events", tag="events")
Body = dict[str, Any]


@events.get("")
@permit(events, "events.read")
@events.input(schemas.EventSearchIn, location="query", unknown=RAISE)
@events.output(schemas.EventPageOut)
@events.doc(responses=[400])
def search(query_data: Body) -> Body:
    """Search events

    Newest first, in the query language of the hunt page. A query that cannot be read is answered with 400 and ``position``.
    """
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    _remember("events.search", query_data)  # each page: a cursor made up by the caller must not be a way around it
    page = services().store.search(
        query, when, limit=query_data["limit"], cursor=query_data["cursor"], fields=query_data["field"] or None
    )
    return {"events": page.events, "next_cursor": page.cursor}


@events.get("/histogram")
@permit(events, "events.read")
@events.input(schemas.EventHistogramIn, location="query", unknown=RAISE)
@events.output(schemas.BucketsOut)
@events.doc(responses=[400])
def histogram(query_data: Body) -> Body:
    """Count events over time"""
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    _remember("events.search", query_data)
    return {"buckets": msgspec.to_builtins(services().store.histogram(query, when, buckets=query_data["buckets"]))}


@events.get("/top")
@permit(events, "events.read")
@events.input(schemas.EventTopIn, location="query", unknown=RAISE)
@events.output(schemas.BucketsOut)
@events.doc(responses=[400])
def top(query_data: Body) -> Body:
    """Most frequent values of a field"""
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    _remember("events.top", query_data)
    return {"buckets": msgspec.to_builtins(services().store.top(query, when, query_data["field"], limit=query_data["limit"]))}


@events.get("/<event_id>")
@permit(events, "events.read")
@events.input(schemas.NearIn, location="query", unknown=RAISE)
@events.output(schemas.EventOut)
@events.doc(responses=[404])
def get(event_id: str, query_data: Body) -> Body:
    """Read one event"""
    event = services().store.get(event_id, query_data["near"])
    if event is None:
        raise NotFound(f"there is no event {event_id[:64]}")
    return {"event": event}


def _remember(action: str, query: Body) -> None:
    with services().database.write() as session:
        audit.append(session, caller().actor, action, "events", detail={key: value for key, value in query.items() if value})
