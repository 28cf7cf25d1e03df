"""Shapes of the service catalogue and of applications in requests and answers."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf, Range

from operations.services.catalogue import BY_ID
from operations.services.models import STATES
from operations.services.service import ACTS, MAX_NOTE
from operations.services.terms import MAX_HOURS
from soc_ui.api.schemas import Paging, Strict, String


class FieldOut(Schema):
    name = String(required=True)
    kind = String(required=True, metadata={"description": "line, text, zone, lines, number, choice or pem"})
    zh = String(required=True)
    en = String(required=True)
    needed = Boolean(required=True)
    least = Integer(required=True)
    most = Integer(required=True)
    own = Boolean(required=True, metadata={"description": "zone: one of the applicant's own"})
    choices = List(String(), required=True)


class TermsOut(Schema):
    service = String(required=True)
    accept_hours = Integer(required=True)
    issue_hours = Integer(required=True)
    open = Boolean(required=True)
    source = String(required=True, metadata={"description": "Where the numbers come from"})
    to_be_confirmed = Boolean(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ServiceOut(Schema):
    id = String(required=True)
    zh = String(required=True)
    en = String(required=True)
    about_zh = String(required=True)
    about_en = String(required=True)
    days = Integer(required=True, metadata={"description": "How long a grant lasts at most"})
    fields_ = List(Nested(FieldOut), required=True, data_key="fields", attribute="fields")
    terms = Nested(TermsOut, required=True)


class CatalogueOut(Schema):
    services = List(Nested(ServiceOut), required=True)


class TermsIn(Strict):
    accept_hours = Integer(required=True, validate=Range(1, MAX_HOURS))
    issue_hours = Integer(required=True, validate=Range(1, MAX_HOURS))
    open = Boolean(load_default=True)
    source = String(required=True, validate=Length(1, 200))
    to_be_confirmed = Boolean(load_default=False)


class ApplicationListIn(Paging):
    state = String(load_default="", validate=OneOf(["", *STATES]))
    service = String(load_default="", validate=OneOf(["", *BY_ID]))
    bureau = String(load_default="", validate=Length(max=128))
    mine = Boolean(load_default=False)
    open = Boolean(load_default=False, metadata={"description": "Waits for the operator"})
    overdue = Boolean(load_default=False)


class ApplicationIn(Strict):
    form = Dict(keys=String(), values=Raw(), required=True, metadata={"description": "The fields of the service"})
    bureau = String(load_default="", validate=Length(max=128), metadata={"description": "Where the scope has several"})


class ApplicationActIn(Strict):
    act = String(required=True, validate=OneOf(ACTS))
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class RenewalIn(Strict):
    reason = String(required=True, validate=Length(1, 2000))
    days = Integer(required=True, validate=Range(1, 365))


class ApplicationOut(Schema):
    id = Integer(required=True)
    service = String(required=True)
    bureau = String(required=True)
    applicant = String(required=True)
    subject = String(required=True)
    state = String(required=True, validate=OneOf(STATES))
    applied_at = String(required=True)
    accept_due = String(required=True)
    issue_due = String(allow_none=True)
    accepted_at = String(allow_none=True)
    issued_at = String(allow_none=True)
    expires_at = String(allow_none=True)
    grant_kind = String(required=True)
    grant_id = String(required=True)
    updated_at = String(required=True)
    renews = Integer(allow_none=True)
    overdue = Boolean(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ApplicationPageOut(Schema):
    applications = List(Nested(ApplicationOut), required=True)
    next_cursor = String(required=True)


class ApplicationStepOut(Schema):
    time = String(required=True)
    actor = String(required=True)
    act = String(required=True)
    note = String(required=True)


class ApplicationDetailOut(Schema):
    application = Nested(ApplicationOut, required=True)
    form = Dict(keys=String(), values=Raw(), required=True)
    granted = Dict(keys=String(), values=Raw(), required=True)
    reason = String(required=True)
    accepted_by = String(required=True)
    issued_by = String(required=True)
    confirmed_by = String(required=True)
    zones = List(String(), required=True)
    history = List(Nested(ApplicationStepOut), required=True)
    dangers = List(String(), required=True, metadata={"description": "Why a second person has to confirm it"})
    acts = List(String(), required=True, metadata={"description": "What the caller may do now"})


class YearIn(Strict):
    year = Integer(required=True, validate=Range(2000, 2200))


class SummaryIn(YearIn):
    bureau = String(required=True, validate=Length(1, 128))


class UsageIn(YearIn):
    month = Integer(required=True, validate=Range(1, 12))


class KeptOut(Schema):
    service = String(required=True)
    applied = Integer(required=True)
    issued = Integer(required=True)
    rejected = Integer(required=True)
    waiting = Integer(required=True)
    overdue = Integer(required=True)
    late = Integer(required=True, metadata={"description": "Accepted or issued after the promised time"})
    accept_hours = Float(allow_none=True, metadata={"description": "Mean"})
    issue_hours = Float(allow_none=True, metadata={"description": "Mean"})


class KeptListOut(Schema):
    services = List(Nested(KeptOut), required=True)


class MonthOut(Schema):
    month = String(required=True)
    events = Integer(required=True)
    bytes = Integer(required=True)
    permits = Integer(required=True, metadata={"description": "Most in force at the end of a day"})
    certificates = Integer(required=True)
    searches = Integer(required=True, metadata={"description": "In the events, by people, API keys and schedules"})


class BureauMonthOut(MonthOut):
    bureau = String(required=True)


class UsageOut(Schema):
    usage = List(Nested(BureauMonthOut), required=True)


class SummaryOut(Schema):
    bureau = String(required=True)
    year = Integer(required=True)
    services = List(Nested(KeptOut), required=True)
    months = List(Nested(MonthOut), required=True)
    tickets = Integer(required=True)
    tickets_done = Integer(required=True)
    tickets_overdue = Integer(required=True)
    quota_gigabytes = Integer(required=True)
