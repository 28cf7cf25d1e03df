"""Searching events in the API: queries, pages, counts over time."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf, Range

from soc_ui.api.schemas import Moment, Paging, Strict, String
from soc_ui.hunt.export import FORMATS


class EventQueryIn(Strict):
    query = String(
        load_default="",
        validate=Length(max=4000),
        metadata={"description": "e.g. process.name:powershell.exe AND NOT user.name:svc_*"},
    )
    start = Moment(load_default="")
    end = Moment(load_default="")


class EventSearchIn(EventQueryIn, Paging):
    field = List(
        String(validate=Length(1, 255)), load_default=[], validate=Length(max=50), metadata={"description": "* for the whole event"}
    )


class EventExportIn(EventQueryIn):
    format = String(load_default="jsonl", validate=OneOf(tuple(FORMATS)))
    field = List(
        String(validate=Length(1, 255)),
        load_default=[],
        validate=Length(max=50),
        metadata={"description": "Columns of CSV; the others hold whole events"},
    )


class EventFieldIn(EventQueryIn):
    field = String(required=True, validate=Length(1, 255))


class EventTopIn(EventFieldIn):
    limit = Integer(load_default=10, validate=Range(1, 1000))


class EventHistogramIn(EventQueryIn):
    buckets = Integer(load_default=60, validate=Range(1, 500))


class EventPageOut(Schema):
    events = List(Dict(keys=String(), values=Raw()), required=True)
    next_cursor = String(required=True)


class EventOut(Schema):
    event = Dict(keys=String(), values=Raw(), required=True)


class NearIn(Strict):
    near = Moment(
        load_default="",
        metadata={"description": "The event's @timestamp, where known: makes it quick; only an event of this time is found"},
    )


class BucketOut(Schema):
    key = Raw(required=True)
    count = Integer(required=True)


class BucketsOut(Schema):
    buckets = List(Nested(BucketOut), required=True)


class FieldStatisticsOut(Schema):
    events = Integer(required=True)
    present = Integer(required=True, metadata={"description": "Events that have the field"})
    distinct = Integer(required=True, metadata={"description": "Different values, estimated"})
    at_least = Boolean(required=True, metadata={"description": "There are more than that"})
    minimum = Float(allow_none=True)
    maximum = Float(allow_none=True)
    average = Float(allow_none=True)


class CompletionIn(EventQueryIn):
    at = Integer(
        required=True, validate=Range(0, 4000), metadata={"description": "Where the caret stands, 0 = before the first sign"}
    )


class SuggestionOut(Schema):
    insert = String(required=True)
    label = String(required=True)
    kind = String(required=True, metadata={"description": "field, value, operator or pipe"})
    note = String(required=True, metadata={"description": "Type of a field, number of a value"})
    start = Integer(required=True)
    end = Integer(required=True)


class SuggestionsOut(Schema):
    suggestions = List(Nested(SuggestionOut), required=True)
