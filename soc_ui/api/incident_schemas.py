"""Incidents in the API: filter, row, detail, changes."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from kernel.detection import LEVELS
from operations.incidents.catalogue import subclasses
from operations.incidents.grading import DEGREES, OBJECTS
from operations.incidents.listing import SORTS
from operations.incidents.models import OPERATORS, ORIGINS
from operations.incidents.phases import CAUSES, PHASES
from operations.incidents.service import MAX_ALERTS
from operations.incidents.texts import LINE, LONG, SHORT, TITLE
from operations.incidents.timing import MOST_MINUTES
from soc_ui.api.schemas import Moment, Paging, Strict, String, many
from soc_ui.numbers import MAX_ROW_ID

_CLASS = String(validate=OneOf([one.code for one in subclasses()]), metadata={"description": "GET /incidents/classification"})


class IncidentFilterIn(Strict):
    phase = many(*PHASES)
    level = List(Integer(validate=Range(0, 4)), load_default=[], validate=Length(max=5), metadata={"description": "0 = undecided"})
    severity = many(*LEVELS)
    class_code = many(longest=4)
    zone = many(longest=64)
    assignee = many(longest=64)
    clock = String(load_default="", validate=OneOf(["", "soon", "overdue"]), metadata={"description": "The earliest deadline"})
    drill = Boolean(load_default=None, allow_none=True)
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that must all occur"})
    start = Moment(load_default="", metadata={"description": "detected_at at or after"})
    end = Moment(load_default="", metadata={"description": "detected_at before"})


class IncidentListIn(IncidentFilterIn, Paging):
    sort = String(load_default="newest", validate=OneOf(SORTS))
    count = Boolean(
        load_default=False,
        metadata={"description": "Also count all that match, up to 10,000 (1,000 where an account has a scope)"},
    )


class ClockOut(Schema):
    key = String(required=True, metadata={"description": "ack, contain, resolve (SLA), report, closing (statutory)"})
    state = String(required=True)
    start = String(required=True)
    due = String(required=True)
    warn_at = String(required=True)
    done_at = String(required=True)
    seconds = Integer(required=True, metadata={"description": "Left until due; negative = over it"})
    statutory = Boolean(required=True)
    provisional = Boolean(required=True, metadata={"description": "By a level that nobody has decided yet"})


class IncidentOut(Schema):
    id = Integer(required=True)
    number = String(required=True)
    title = String(required=True)
    drill = Boolean(required=True)
    severity = String(required=True)
    phase = String(required=True)
    cause = String(required=True)
    class_code = String(required=True)
    level = Integer(required=True, metadata={"description": "1 特别重大 to 4 一般, 0 = undecided"})
    suggested_class = String(required=True)
    suggested_level = Integer(required=True)
    operator = String(required=True)
    assignee = String(required=True)
    zones = List(String(), required=True)
    organisations = List(String(), required=True)
    occurred_at = String(required=True)
    detected_at = String(required=True)
    acknowledged_at = String(required=True)
    contained_at = String(required=True)
    resolved_at = String(required=True)
    closed_at = String(required=True)
    reported_at = String(required=True)
    closing_reported_at = String(required=True)
    paused = Boolean(required=True)
    next_due = String(required=True)
    merged_into = Integer(required=True, allow_none=True)
    created_at = String(required=True)
    created_by = String(required=True)
    updated_at = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})
    clocks = List(Nested(ClockOut), required=True)


class IncidentPageOut(Schema):
    incidents = List(Nested(IncidentOut), required=True)
    next_cursor = String(required=True, metadata={"description": "Empty at the end"})
    hidden = Integer(required=True, metadata={"description": "Incidents outside of the caller's scope"})
    total = Integer(allow_none=True)
    total_exact = Boolean(allow_none=True)


class IncidentFacetOut(Schema):
    value = String(required=True)
    count = Integer(required=True)


class IncidentFacetsOut(Schema):
    facets = Dict(keys=String(), values=List(Nested(IncidentFacetOut)), required=True)


class ReasonOut(Schema):
    code = String(required=True)
    subject = String(required=True)
    count = Integer(required=True)


class SuggestionOut(Schema):
    class_code = String(required=True)
    level = Integer(required=True)
    object = String(required=True)
    loss = String(required=True)
    harm = String(required=True)
    others = List(String(), required=True)
    reasons = List(Nested(ReasonOut), required=True)


class IncidentDetailOut(Schema):
    incident = Nested(IncidentOut, required=True)
    description = String(required=True)
    origin = String(required=True)
    reporter = String(required=True)
    factors = Dict(keys=String(), values=String(), required=True)
    decided_at = String(required=True)
    decided_by = String(required=True)
    decided_reason = String(required=True)
    suggestion = Nested(SuggestionOut, required=True)
    pauses = List(List(String()), required=True, metadata={"description": "[from, to, reason]; to is empty while it lasts"})
    alerts = Integer(required=True, metadata={"description": "Alerts of it that the caller may see"})
    hidden_alerts = Integer(required=True)


def _names(longest: int) -> List:
    return List(String(validate=Length(1, longest)), validate=Length(max=64))


class IncidentChangeIn(Strict):
    title = String(validate=Length(1, TITLE))
    description = String(validate=Length(max=LONG))
    reporter = String(validate=Length(max=TITLE))
    severity = String(validate=OneOf(LEVELS))
    operator = String(validate=OneOf(OPERATORS), metadata={"description": "cii 关键信息基础设施, state 中央和国家机关, other"})
    assignee = String(validate=Length(max=64))
    zones = _names(64)
    organisations = _names(SHORT)
    occurred_at = Moment()
    detected_at = Moment()


class IncidentIn(IncidentChangeIn):
    title = String(required=True, validate=Length(1, TITLE))
    origin = String(load_default="hotline", validate=OneOf(ORIGINS))
    drill = Boolean(load_default=False)
    alerts = List(Integer(validate=Range(1, MAX_ROW_ID)), load_default=[], validate=Length(max=MAX_ALERTS))


class DecisionIn(Strict):
    class_code = String(required=True, validate=_CLASS.validate)
    object = String(required=True, validate=OneOf(OBJECTS))
    loss = String(required=True, validate=OneOf(DEGREES))
    harm = String(required=True, validate=OneOf(DEGREES))
    level = Integer(
        load_default=0, validate=Range(0, 4), metadata={"description": "Another level than the factors give; 0 = theirs"}
    )
    reason = String(load_default="", validate=Length(max=LINE), metadata={"description": "Needed for another level"})


class PhaseIn(Strict):
    phase = String(required=True, validate=OneOf(PHASES))
    reason = String(load_default="", validate=Length(max=LINE), metadata={"description": "Needed going back and closing"})
    cause = String(load_default="", validate=OneOf(["", *CAUSES]), metadata={"description": "Needed for closing"})


class PauseIn(Strict):
    reason = String(required=True, validate=Length(1, TITLE))


class AlertIdsIn(Strict):
    alerts = List(Integer(validate=Range(1, MAX_ROW_ID)), required=True, validate=Length(1, MAX_ALERTS))


class MergeIn(Strict):
    other = Integer(
        required=True, validate=Range(1, MAX_ROW_ID), metadata={"description": "It is emptied and closed as a duplicate"}
    )


class ClassOut(Schema):
    code = String(required=True)
    zh = String(required=True)
    en = String(required=True)


class ClassificationOut(Schema):
    standard = String(required=True)
    to_be_confirmed = Boolean(required=True)
    source = String(required=True)
    classes = List(Nested(ClassOut), required=True)
    matrix = Dict(keys=String(), values=Dict(keys=String(), values=Integer()), required=True)
    harm = Dict(keys=String(), values=Integer(), required=True)


class DeadlineOut(Schema):
    key = String(required=True)
    minutes = Integer(required=True)
    source = String(required=True)
    to_be_confirmed = Boolean(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True)


class DeadlinesOut(Schema):
    deadlines = List(Nested(DeadlineOut), required=True)


class DeadlineIn(Strict):
    minutes = Integer(required=True, validate=Range(1, MOST_MINUTES))
    confirmed = Boolean(required=True, metadata={"description": "True: this is no longer to be confirmed"})


class PeriodIn(Strict):
    start = Moment(load_default="", metadata={"description": "detected_at at or after"})
    end = Moment(load_default="", metadata={"description": "detected_at before"})


class TimesOut(Schema):
    count = Integer(required=True)
    mean = Float(required=True, allow_none=True, metadata={"description": "Seconds"})
    median = Float(required=True, allow_none=True, metadata={"description": "Seconds"})


class MetricsOut(Schema):
    incidents = Integer(required=True)
    drills = Integer(required=True)
    detect = Nested(TimesOut, required=True, metadata={"description": "Occurred to detected (MTTD)"})
    acknowledge = Nested(TimesOut, required=True, metadata={"description": "Detected to acknowledged (MTTA)"})
    contain = Nested(TimesOut, required=True, metadata={"description": "Detected to contained"})
    resolve = Nested(TimesOut, required=True, metadata={"description": "Detected to resolved (MTTR)"})
