"""Operations reports and their schedules in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Date, Dict, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from operations.reports.listing import FORMATS
from operations.reports.making import LANGUAGES
from operations.reports.periods import KINDS
from soc_ui.api.schemas import Moment, Paging, Strict, String

_CITY = {"description": "Empty = the city"}


class OperationsReportOut(Schema):
    id = Integer(required=True)
    name = String(required=True, metadata={"description": "Of its files, without the ending"})
    kind = String(required=True)
    first_day = String(required=True, metadata={"description": "Of the period, in Beijing"})
    period = String(required=True)
    organisation = String(required=True, metadata=_CITY)
    language = String(required=True)
    origin = String(required=True, metadata={"description": "demand or schedule"})
    issued_at = String(required=True)
    issued_by = String(required=True)
    sm3 = Dict(required=True, metadata={"description": "SM3 by file: data, pdf, docx, xlsx"})


class VerdictOut(Schema):
    signature = Boolean(required=True)
    certificate = Boolean(required=True)
    files = Dict(required=True, metadata={"description": "By file: is it what was signed?"})


class OperationsReportDetailOut(Schema):
    report = Nested(OperationsReportOut, required=True)
    figures = Dict(required=True, metadata={"description": "The numbers as issued, with those of the period before"})
    manifest = String(required=True, metadata={"description": "The text that the signature is over"})
    signature = String(required=True, metadata={"description": "SM2 with SM3, DER, hex"})
    certificate = String(required=True, metadata={"description": "PEM, of the key that signed"})
    verdict = Nested(VerdictOut, required=True)


class OperationsReportPageOut(Schema):
    reports = List(Nested(OperationsReportOut), required=True)
    next_cursor = String(required=True)
    hidden = Integer(required=True, metadata={"description": "Reports about others, whatever the filter"})


class OperationsReportListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    organisation = String(load_default="*", validate=Length(max=128), metadata={"description": "* = any, empty = the city"})
    origin = String(load_default="", validate=OneOf(("", "demand", "schedule")))
    start = Moment(load_default="", metadata={"description": "Issued from then on"})
    end = Moment(load_default="", metadata={"description": "Issued before"})


class OperationsReportIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    day = Date(required=True, metadata={"description": "Any day of the period; one that runs is told up to now"})
    organisation = String(load_default="", validate=Length(max=128), metadata=_CITY)
    language = String(load_default="zh", validate=OneOf(LANGUAGES))


class OperationsReportFileIn(Strict):
    format = String(load_default="pdf", validate=OneOf(FORMATS))


class ReportScheduleIn(Strict):
    enabled = Boolean(required=True)
    minute = Integer(required=True, validate=Range(0, 1439), metadata={"description": "After the midnight that ends the period"})
    each = Boolean(required=True, metadata={"description": "Also one for every organisation"})
    language = String(required=True, validate=OneOf(LANGUAGES))


class ReportScheduleOut(Schema):
    kind = String(required=True)
    enabled = Boolean(required=True)
    minute = Integer(required=True)
    each = Boolean(required=True)
    language = String(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})
    next_due = String(required=True)


class ReportSchedulesOut(Schema):
    schedules = List(Nested(ReportScheduleOut), required=True)
