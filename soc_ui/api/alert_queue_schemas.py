"""Saved views, suppressions, merging and similar alerts in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf

from operations.alerts.saved_views import MAX_NAME, MAX_QUERY
from operations.alerts.suppressions import MAX_REASON, MOST_ENTITIES, SORTS, STATES
from soc_ui.api.alert_schemas import AlertOut
from soc_ui.api.schemas import Moment, Paging, Strict, String

_QUERY = {"description": "Parameters of the page /alerts, e.g. status=new&level=high&assignee=*me (*me: whoever looks)"}


class ViewIn(Strict):
    name = String(required=True, validate=Length(1, MAX_NAME))
    query = String(required=True, validate=Length(max=MAX_QUERY), metadata=_QUERY)
    shared = Boolean(load_default=False, metadata={"description": "With all accounts of the same scope"})


class ViewChangeIn(Strict):
    name = String(validate=Length(1, MAX_NAME))
    query = String(validate=Length(max=MAX_QUERY), metadata=_QUERY)
    shared = Boolean()


class ViewOut(Schema):
    slug = String(required=True, metadata={"description": "The page shows it at /alerts?view=<slug>"})
    name = String(required=True)
    query = String(required=True)
    shared = Boolean(required=True)
    owner = String(required=True)
    mine = Boolean(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    version = Integer(required=True)


class ViewsOut(Schema):
    views = List(Nested(ViewOut), required=True)


class SuppressionMatchIn(Strict):
    rule_id = String(required=True, validate=Length(1, 160))
    entities = List(
        String(validate=Length(3, 600)), load_default=[], validate=Length(max=MOST_ENTITIES),
        metadata={"description": "kind:value, all of which an alert must name"},
    )  # fmt: skip
    critical_ot = Boolean(
        load_default=False,
        metadata={"description": "Also critical alerts of OT zones, as soon as a security administrator has released it"},
    )


class SuppressionIn(SuppressionMatchIn):
    until = Moment(required=True, metadata={"description": "At most 90 days away"})
    reason = String(required=True, validate=Length(1, MAX_REASON))


class SuppressionListIn(Paging):
    state = String(load_default="", validate=OneOf(["", *STATES]))
    rule = String(load_default="", validate=Length(max=160))
    owner = String(load_default="", validate=Length(max=64))
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Part of rule, entities, reason or owner"})
    sort = String(load_default="created", validate=OneOf(SORTS))
    order = String(load_default="down", validate=OneOf(["up", "down"]))


class ReleaseIn(Strict):
    agreed = Boolean(required=True)


class SuppressionOut(Schema):
    id = Integer(required=True)
    rule_id = String(required=True)
    rule_name = String(required=True)
    entities = List(List(Raw()), required=True, metadata={"description": "[kind, value]"})
    reason = String(required=True)
    owner = String(required=True)
    limited = Boolean(required=True, metadata={"description": "To the scope of its maker"})
    critical_ot = String(required=True, validate=OneOf(["no", "asked", "released"]))
    released_by = String(required=True)
    created_at = String(required=True)
    until = String(required=True)
    lifted_at = String(required=True)
    lifted_by = String(required=True)
    hits = Integer(required=True, metadata={"description": "Alerts kept out"})
    last_hit_at = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})
    state = String(required=True, validate=OneOf(["active", "ended"]))


class SuppressionPageOut(Schema):
    suppressions = List(Nested(SuppressionOut), required=True)
    next_cursor = String(required=True)


class SuppressionPreviewOut(Schema):
    total = Integer(required=True, metadata={"description": "Alerts of the last 7 days that it would have kept out"})
    exact = Boolean(required=True)
    by_level = Dict(keys=String(), values=Integer())
    still_shown = Integer(required=True, metadata={"description": "Critical alerts of OT zones that would still have shown"})


class ReasonOut(Schema):
    kind = String(required=True, metadata={"description": "hash, domain, host, user, ip, rule, technique or time"})
    value = String(required=True, metadata={"description": "Of time: seconds between the two"})
    points = Integer(required=True)
    common = Boolean(required=True, metadata={"description": "Many alerts have it; it counts half"})


class SimilarOneOut(Schema):
    alert = Nested(AlertOut, required=True)
    score = Integer(required=True)
    reasons = List(Nested(ReasonOut), required=True)


class SimilarOut(Schema):
    similar = List(Nested(SimilarOneOut), required=True)
