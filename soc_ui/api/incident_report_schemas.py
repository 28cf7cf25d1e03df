"""Reports, evidence, review and improvement actions of an incident in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, Nested
from apiflask.validators import Length, OneOf

from operations.incidents.evidence import ACTIONS
from operations.incidents.models import ACTION_STATES, REPORT_KINDS
from operations.incidents.reports import FORMATS, LANGUAGES
from operations.incidents.texts import LONG, SHORT, TITLE
from soc_ui.api.schemas import Moment, Strict, String


class IncidentReportOut(Schema):
    id = Integer(required=True)
    number = String(required=True)
    kind = String(required=True)
    language = String(required=True)
    issued_at = String(required=True)
    issued_by = String(required=True)
    docx_sm3 = String(required=True)
    pdf_sm3 = String(required=True)
    submitted_at = String(required=True)
    submitted_to = String(required=True)
    receipt = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class IncidentReportsOut(Schema):
    reports = List(Nested(IncidentReportOut), required=True)
    hidden = Integer(required=True, metadata={"description": "About zones outside of the caller's scope"})


class IncidentReportIn(Strict):
    kind = String(required=True, validate=OneOf(REPORT_KINDS))
    language = String(load_default="zh", validate=OneOf(LANGUAGES))


class ReportFileIn(Strict):
    format = String(load_default="docx", validate=OneOf(FORMATS))


class SubmissionIn(Strict):
    to = String(required=True, validate=Length(1, TITLE))
    receipt = String(load_default="", validate=Length(max=TITLE))
    at = Moment(load_default="", metadata={"description": "Empty = now"})


class ReviewIn(Strict):
    root_cause = String(load_default="", validate=Length(max=LONG))
    measures = String(load_default="", validate=Length(max=LONG))
    harm = String(load_default="", validate=Length(max=LONG))
    responsibility = String(load_default="", validate=Length(max=LONG))
    lessons = String(load_default="", validate=Length(max=LONG))


class ReviewOut(Schema):
    root_cause = String(required=True)
    measures = String(required=True)
    harm = String(required=True)
    responsibility = String(required=True)
    lessons = String(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag; 0 = nobody has written one"})


class ActionIn(Strict):
    title = String(required=True, validate=Length(1, TITLE))
    owner = String(load_default="", validate=Length(max=SHORT))
    due_at = Moment(load_default="")


class ActionChangeIn(Strict):
    status = String(required=True, validate=OneOf(ACTION_STATES))


class ActionOut(Schema):
    id = Integer(required=True)
    title = String(required=True)
    owner = String(required=True)
    due_at = String(required=True)
    status = String(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ActionsOut(Schema):
    actions = List(Nested(ActionOut), required=True)


class CustodyOut(Schema):
    number = Integer(required=True)
    action = String(required=True)
    actor = String(required=True)
    at = String(required=True)
    reason = String(required=True)
    source = String(required=True)


class EvidenceOut(Schema):
    id = Integer(required=True)
    evidence = String(required=True, metadata={"description": "Identifier that the custody record names"})
    name = String(required=True)
    sm3 = String(required=True, metadata={"description": "Of the payload"})
    size = Integer(required=True)
    events = Integer(required=True)
    left_out = Integer(required=True, metadata={"description": "Alerts no event of which was there any more"})
    head = String(required=True, metadata={"description": "SM3 of the last custody link"})
    sealed_at = String(required=True)
    sealed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})
    links = List(Nested(CustodyOut), required=True, metadata={"description": "Empty in lists"})
    problem = String(required=True, metadata={"description": "What is wrong with it; empty in lists and where all is in order"})


class EvidenceListOut(Schema):
    evidence = List(Nested(EvidenceOut), required=True)
    hidden = Integer(required=True, metadata={"description": "About zones outside of the caller's scope"})


class EvidenceReasonIn(Strict):
    reason = String(required=True, validate=Length(1, TITLE))


class EvidenceIn(EvidenceReasonIn):
    name = String(required=True, validate=Length(1, TITLE))
    origin = String(required=True, validate=Length(1, TITLE), metadata={"description": "Where it was taken from"})
    content = String(required=True, validate=Length(4, 4_000_000), metadata={"description": "Base64"})


class CustodyIn(EvidenceReasonIn):
    action = String(required=True, validate=OneOf(ACTIONS))
