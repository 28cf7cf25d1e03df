"""Shapes of findings, waivers and progress in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested
from apiflask.fields import String as Text
from apiflask.validators import Length, OneOf, Range

from compliance.remediation import listing, service, waivers
from compliance.remediation.models import WAIVER_STATES
from compliance.remediation.progress import MOST_MONTHS
from soc_ui.api.schemas import Moment, Natural, Paging, Strict, String


class FindingListIn(Paging):
    system = Natural(load_default=0, metadata={"description": "0: every system that the caller may see"})
    security_class = String(load_default="", validate=Length(max=16), metadata={"description": "8.1.4, or a layer: 6.2"})
    state = String(load_default="", validate=OneOf(("", *service.SHOWN)), metadata={"description": "Empty: all but closed ones"})
    item = String(load_default="", validate=Length(max=24))
    object_id = Natural(load_default=None, allow_none=True)
    bureau = String(load_default=None, allow_none=True, validate=Length(max=128), metadata={"description": "Of the ticket"})
    assignee = String(load_default="", validate=Length(max=64))
    overdue = Boolean(load_default=False)
    due_by = Moment(load_default="")
    undated = Boolean(load_default=False)
    sort = String(load_default="opened", validate=OneOf(listing.SORTS))


class FindingOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    item = Text(required=True)
    zh = Text(required=True)
    en = Text(required=True)
    object_id = Integer(required=True)
    object = Text(required=True, metadata={"description": "Empty: the system as a whole"})
    state = Text(required=True)
    verdict = Text(required=True)
    ticket_id = Integer(required=True, allow_none=True)
    bureau = Text(required=True)
    assignee = Text(required=True)
    due_at = Text(required=True)
    overdue = Boolean(required=True)
    waived_until = Text(required=True)
    reopened = Integer(required=True)
    opened_at = Text(required=True)
    retest_at = Text(required=True)
    closed_at = Text(required=True)
    outcome = Text(required=True)
    version = Integer(required=True)


class FindingPageOut(Schema):
    findings = List(Nested(FindingOut), required=True)
    next_cursor = Text(required=True)


class FindingStepOut(Schema):
    at = Text(required=True)
    act = Text(required=True)
    by = Text(required=True)
    value = Text(required=True)
    note = Text(required=True)


class WaiverOut(Schema):
    id = Integer(required=True)
    finding_id = Integer(required=True)
    system_id = Integer(required=True)
    state = Text(required=True)
    reason = Text(required=True)
    measure = Text(required=True)
    expires_at = Text(required=True)
    asked_by = Text(required=True)
    asked_at = Text(required=True)
    decided_by = Text(required=True)
    decided_at = Text(required=True)
    note = Text(required=True)
    version = Integer(required=True)


class FindingDetailOut(Schema):
    finding = Nested(FindingOut, required=True)
    waivers = List(Nested(WaiverOut), required=True)
    history = List(Nested(FindingStepOut), required=True)


class AssignmentIn(Strict):
    bureau = String(
        load_default=None, allow_none=True, validate=Length(max=128),
        metadata={"description": "null: the organisation of the system; empty: the operator"},
    )  # fmt: skip
    assignee = String(load_default="", validate=Length(max=64))
    due_at = Moment(load_default="", metadata={"description": "Left out: by the weight of the clause"})
    note = String(load_default="", validate=Length(max=service.MAX_NOTE))


class DueIn(Strict):
    due_at = Moment(required=True)
    note = String(load_default="", validate=Length(max=service.MAX_NOTE))


class RetestIn(Strict):
    note = String(required=True, validate=Length(1, service.MAX_NOTE), metadata={"description": "What was done"})


class WaiverIn(Strict):
    reason = String(required=True, validate=Length(1, waivers.MAX_TEXT))
    measure = String(required=True, validate=Length(1, waivers.MAX_TEXT), metadata={"description": "What is done instead"})
    expires_at = Moment(required=True, metadata={"description": "Within a year"})


class WaiverListIn(Paging):
    system = Natural(load_default=0)
    state = String(load_default="", validate=OneOf(("", *WAIVER_STATES)))


class WaiverPageOut(Schema):
    waivers = List(Nested(WaiverOut), required=True)
    next_cursor = Text(required=True)


class WaiverDecisionIn(Strict):
    approve = Boolean(required=True)
    note = String(load_default="", validate=Length(max=waivers.MAX_TEXT), metadata={"description": "Needed to refuse"})


class WaiverEndIn(Strict):
    note = String(required=True, validate=Length(1, waivers.MAX_TEXT))


class ProgressIn(Strict):
    months = Integer(load_default=12, validate=Range(1, MOST_MONTHS))


class MonthOut(Schema):
    month = Text(required=True)
    opened = Integer(required=True)
    closed = Integer(required=True)
    open = Integer(required=True)
    overdue = Integer(required=True)
    due = Integer(required=True)


class PlanLineOut(Schema):
    month = Text(required=True)
    bureau = Text(required=True)
    findings = Integer(required=True)


class ProgressOut(Schema):
    months = List(Nested(MonthOut), required=True)
    plan = List(Nested(PlanLineOut), required=True)
    states = Dict(keys=Text(), values=Integer(), required=True)
