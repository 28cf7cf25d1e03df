"""``/api/v1/events``: the event store. Searches are written to the audit trail: events hold personal data."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response
from marshmallow import RAISE

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from kernel.store.time_limit import within
from operations.audit import service as audit
from operations.errors import NotFound
from soc_ui.api import event_schemas as schemas
from soc_ui.api.guard import asked_again, caller, permit
from soc_ui.hunt import completion
from soc_ui.hunt.request import POPULAR_FIELDS
from soc_ui.hunt.sending import as_file
from soc_ui.searching import searching
from soc_ui.services import services

events = APIBlueprint("api_events", __name__, url_prefix="/api/v1/events", tag="events")
Body = dict[str, Any]
STATISTICS_SECONDS = 20.0
EXPORTED = ("event.dataset", "host.name", "user.name", "source.ip", "destination.ip", "message")
"""Columns of a CSV file where none are asked for."""


@events.get("")
@permit(events, "events.read")
@events.input(schemas.EventSearchIn, location="query", unknown=RAISE)
@events.output(schemas.EventPageOut)
@events.doc(responses=[400, 429])
def search(query_data: Body) -> Body:
    """Search events

    Newest first, in the query language of the hunt page. A query that cannot be read is answered with 400 and ``position``.
    """
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    with searching(caller()):
        _remember("events.search", query_data)  # each page: a cursor made up by the caller must not be a way around it
        page = services().store.search(
            query, when, limit=query_data["limit"], cursor=query_data["cursor"], fields=query_data["field"] or None
        )
    return {"events": page.events, "next_cursor": page.cursor}


@events.get("/histogram")
@permit(events, "events.read")
@events.input(schemas.EventHistogramIn, location="query", unknown=RAISE)
@events.output(schemas.BucketsOut)
@events.doc(responses=[400, 429])
def histogram(query_data: Body) -> Body:
    """Count events over time"""
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    with searching(caller()):
        _remember("events.search", query_data)
        return {"buckets": msgspec.to_builtins(services().store.histogram(query, when, buckets=query_data["buckets"]))}


@events.get("/top")
@permit(events, "events.read")
@events.input(schemas.EventTopIn, location="query", unknown=RAISE)
@events.output(schemas.BucketsOut)
@events.doc(responses=[400, 429])
def top(query_data: Body) -> Body:
    """Most frequent values of a field"""
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    with searching(caller()):
        _remember("events.top", query_data)
        return {"buckets": msgspec.to_builtins(services().store.top(query, when, query_data["field"], limit=query_data["limit"]))}


@events.get("/statistics")
@permit(events, "events.read")
@events.input(schemas.EventFieldIn, location="query", unknown=RAISE)
@events.output(schemas.FieldStatisticsOut)
@events.doc(responses=[400, 429])
def statistics(query_data: Body) -> Body:
    """Describe a field

    How many events have it, how many different values there are (estimated), the range and mean of its numbers. 400 after 20 s.
    """
    query, when = parse_query(query_data["query"]), TimeRange(query_data["start"], query_data["end"])
    with searching(caller()), within(STATISTICS_SECONDS):
        _remember("events.top", query_data)
        return msgspec.to_builtins(services().store.field_statistics(query, when, query_data["field"]))


@events.get("/complete")
@permit(events, "events.read")
@events.input(schemas.CompletionIn, location="query", unknown=RAISE)
@events.output(schemas.SuggestionsOut)
@events.doc(responses=[429])
def complete(query_data: Body) -> Body:
    """Complete a query

    What may stand at the caret ``at``: fields with their type, operators, pipes, and the commonest values of a field in the time
    range with their number (none where finding them takes longer than 3 s). ``insert`` replaces ``start`` … ``end``.
    """
    text, at, when = query_data["query"], query_data["at"], TimeRange(query_data["start"], query_data["end"])

    def values(field: str, prefix: str) -> list[tuple[str, int]]:
        with searching(caller()):
            _remember("events.top", query_data | {"field": field})
            return completion.values_of(services().store, text, at, when, field, prefix)

    return {"suggestions": msgspec.to_builtins(completion.complete(text, at, POPULAR_FIELDS, values))}


@events.get("/export")
@permit(events, "events.export")
@events.input(schemas.EventExportIn, location="query", unknown=RAISE)
@events.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@events.doc(responses=[400, 429])
def export(query_data: Body) -> Response:
    """Take events as a file

    At most 50,000, newest first, as CSV, JSON lines or Parquet; sent while they are read.
    """
    who, again = caller(), asked_again()
    when = TimeRange(query_data["start"], query_data["end"])
    columns = query_data["field"] or EXPORTED

    def allowed() -> bool:
        now = again()
        return now is not None and now.may("events.export")

    return as_file(who, query_data["query"], when, query_data["format"], columns, allowed)


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
