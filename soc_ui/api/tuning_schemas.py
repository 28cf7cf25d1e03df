"""Rule tuning in the API: figures, traits, exceptions, switched-off rules."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Float, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from kernel.detection import LEVELS
from kernel.rule_tuning.condition import MAX_FIELD, MAX_VALUE, MOST_CONDITIONS, OPERATORS
from operations.tuning.figures import SORTS
from operations.tuning.measures import MAX_REASON
from operations.tuning.models import KINDS, STATES
from operations.tuning.schema import PERIODS
from soc_ui.api.schemas import Moment, Paging, Strict, String, many
from soc_ui.rules.figures import MEASURES

MAX_RULE = 160


class FigureListIn(Paging):
    cursor = String(load_default="", validate=Length(max=8), metadata={"description": "next_cursor of the page before"})
    days = Integer(load_default=30, validate=OneOf(PERIODS), metadata={"description": "Alerts made in the last so many days (UTC)"})
    engine = String(load_default="", validate=Length(max=16))
    level = String(load_default="", validate=OneOf(["", *LEVELS]))
    measure = String(load_default="", validate=OneOf(["", *MEASURES]), metadata={"description": "What holds it back now"})
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that title or id must have"})
    sort = String(load_default="wasted", validate=Length(max=20), metadata={"description": f"{', '.join(SORTS)}; - upwards"})


class FigureOut(Schema):
    rule_id = String(required=True)
    title = String(required=True)
    level = String(required=True)
    engine = String(required=True, metadata={"description": "Empty where the rule is not loaded any more"})
    alerts = Integer(required=True)
    closed = Integer(required=True)
    true_positives = Integer(required=True)
    false_positives = Integer(required=True)
    benign = Integer(required=True)
    undecided = Integer(required=True)
    wasted = Float(required=True, metadata={"description": "alerts × false_positives / closed"})
    median_seconds = Float(allow_none=True, metadata={"description": "From being made to being closed; exact to about a fifth"})
    days = List(Integer(), required=True, metadata={"description": "Alerts a day, oldest first"})
    off = Boolean(required=True)
    exceptions = Integer(required=True, metadata={"description": "In force"})


class FigurePageOut(Schema):
    rules = List(Nested(FigureOut), required=True)
    total = Integer(required=True)
    next_cursor = String(required=True)


class RuleKeyIn(Strict):
    rule = String(required=True, validate=Length(1, MAX_RULE), metadata={"description": "Id of a rule"})


class ConditionIn(Strict):
    field = String(required=True, validate=Length(1, MAX_FIELD))
    operator = String(load_default="equals", validate=OneOf(OPERATORS))
    value = String(required=True, validate=Length(1, MAX_VALUE))


class ConditionOut(Schema):
    field = String(required=True)
    operator = String(required=True, validate=OneOf(OPERATORS))
    value = String(required=True)


class TraitOut(Schema):
    condition = Nested(ConditionOut, required=True)
    noise = Integer(required=True, metadata={"description": "False positives and benign alerts that have it"})
    true_positives = Integer(required=True)
    undecided = Integer(required=True)


class TraitsOut(Schema):
    traits = List(Nested(TraitOut), required=True)
    noise = Integer(required=True, metadata={"description": "Looked at"})
    true_positives = Integer(required=True)
    undecided = Integer(required=True)
    complete = Boolean(required=True)


class PreviewIn(RuleKeyIn):
    conditions = List(Nested(ConditionIn), required=True, validate=Length(1, MOST_CONDITIONS))


class HitOut(Schema):
    id = Integer(required=True)
    last_seen = String(required=True)
    status = String(required=True)
    verdict = String(allow_none=True)
    count = Integer(required=True)


class PreviewOut(Schema):
    days = Integer(required=True)
    looked_at = Integer(required=True)
    complete = Boolean(required=True)
    alerts = Integer(required=True)
    detections = Integer(required=True)
    true_positives = Integer(required=True)
    false_positives = Integer(required=True)
    benign = Integer(required=True)
    undecided = Integer(required=True)
    true_hits = List(Nested(HitOut), required=True)
    hits = List(Nested(HitOut), required=True)


class ExceptionIn(PreviewIn):
    reason = String(required=True, validate=Length(1, MAX_REASON))
    expires_at = Moment(required=True, metadata={"description": "Within 365 days"})
    owner = String(load_default="", validate=Length(max=64), metadata={"description": "User name; empty: the caller"})
    alert = Integer(load_default=None, allow_none=True, validate=Range(1, 2**63 - 1), metadata={"description": "Where it came up"})


class OffIn(RuleKeyIn):
    reason = String(required=True, validate=Length(1, MAX_REASON))
    expires_at = Moment(load_default="", metadata={"description": "Left out: until it is switched on again"})


class MeasureListIn(Paging):
    state = many(*STATES)
    kind = String(load_default="", validate=OneOf(["", *KINDS]))
    rule = String(load_default="", validate=Length(max=MAX_RULE))


class MeasureOut(Schema):
    id = Integer(required=True)
    kind = String(required=True, validate=OneOf(KINDS))
    state = String(required=True, validate=OneOf(STATES))
    rule_id = String(required=True)
    rule_name = String(required=True)
    level = String(required=True)
    conditions = List(Nested(ConditionOut), required=True, metadata={"description": "All must hold; none: the whole rule"})
    reason = String(required=True)
    owner = String(required=True)
    expires_at = String(allow_none=True)
    source_alert = Integer(allow_none=True)
    proposed_by = String(required=True)
    proposed_at = String(required=True)
    decided_by = String(required=True)
    decided_at = String(allow_none=True)
    decision = String(required=True)
    true_positives = Integer(allow_none=True, metadata={"description": "That it would have hidden when it was approved"})
    ended_by = String(required=True)
    ended_at = String(allow_none=True)
    ending = String(required=True)
    held_back = Integer(required=True, metadata={"description": "Detections dropped so far"})
    version = Integer(required=True)


class MeasurePageOut(Schema):
    measures = List(Nested(MeasureOut), required=True)
    next_cursor = String(required=True)


class ApproveIn(Strict):
    note = String(load_default="", validate=Length(max=MAX_REASON))
    confirm_true_positives = Boolean(load_default=False, metadata={"description": "True positives may be hidden"})


class MeasureNoteIn(Strict):
    note = String(load_default="", validate=Length(max=MAX_REASON))
