"""Shapes of comments, requests for evidence and hand-out links in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.fields import String as Text
from apiflask.validators import Length, OneOf

from compliance.reports.words import LANGUAGES
from compliance.review import handouts, service
from compliance.review.models import STATES
from soc_ui.api.schemas import Moment, Natural, Paging, Strict, String


class AboutIn(Strict):
    item = String(load_default="", validate=Length(max=24), metadata={"description": "Empty: the system"})
    object_id = Natural(load_default=0, metadata={"description": "0: the system as a whole"})


class CommentsIn(Strict):
    item = String(load_default="", validate=Length(max=24))


class CommentIn(AboutIn):
    text = String(required=True, validate=Length(1, service.MAX_TEXT))


class RequestIn(CommentIn):
    due_on = String(load_default="", validate=Length(max=10), metadata={"description": "YYYY-MM-DD"})


class AnswerIn(Strict):
    text = String(load_default="", validate=Length(max=service.MAX_TEXT))
    evidence = String(load_default="", validate=Length(max=128), metadata={"description": "As a verdict names it; has to lie here"})


class ClosingIn(Strict):
    text = String(load_default="", validate=Length(max=service.MAX_TEXT))
    send_back = Boolean(load_default=False, metadata={"description": "The answer is not enough: open again"})


class RequestListIn(Paging):
    state = String(load_default="", validate=OneOf(("", *STATES)))
    system = Natural(load_default=0)
    item = String(load_default="", validate=Length(max=24))


class ReviewEntryOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    item = Text(required=True)
    object_id = Integer(required=True)
    object = Text(required=True)
    request_id = Integer(required=True)
    kind = Text(required=True)
    text = Text(required=True)
    evidence = Text(required=True)
    by = Text(required=True)
    at = Text(required=True)


class CommentsOut(Schema):
    comments = List(Nested(ReviewEntryOut), required=True)


class EvidenceRequestOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    system = Text(required=True)
    item = Text(required=True)
    object_id = Integer(required=True)
    object = Text(required=True)
    state = Text(required=True)
    text = Text(required=True)
    due_on = Text(required=True)
    overdue = Boolean(required=True)
    asked_by = Text(required=True)
    asked_at = Text(required=True)
    updated_at = Text(required=True)
    version = Integer(required=True)


class EvidenceRequestDetailOut(Schema):
    request = Nested(EvidenceRequestOut, required=True)
    entries = List(Nested(ReviewEntryOut), required=True)


class EvidenceRequestPageOut(Schema):
    requests = List(Nested(EvidenceRequestOut), required=True)
    next_cursor = Text(required=True)


class HandoutIn(Strict):
    what = String(required=True, validate=OneOf(handouts.WHAT))
    recipient = String(required=True, validate=Length(1, handouts.MAX_RECIPIENT))
    expires_at = Moment(required=True, metadata={"description": f"Within {handouts.LONGEST // 86_400} days"})
    form = String(load_default="", validate=Length(max=12))
    language = String(load_default="zh", validate=OneOf(LANGUAGES))
    template = String(load_default="2025", validate=Length(max=8))
    password = String(load_default="", validate=Length(max=handouts.MAX_PASSWORD))


class HandoutOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    what = Text(required=True)
    language = Text(required=True)
    recipient = Text(required=True)
    state = Text(required=True)
    has_password = Boolean(required=True)
    expires_at = Text(required=True)
    made_by = Text(required=True)
    made_at = Text(required=True)
    revoked_by = Text(required=True)
    revoked_at = Text(required=True)
    file_name = Text(required=True)
    media = Text(required=True)
    sm3 = Text(required=True)
    size = Integer(required=True)
    opened = Integer(required=True)
    last_at = Text(required=True)
    last_from = Text(required=True)
    version = Integer(required=True)


class HandoutMadeOut(Schema):
    handout = Nested(HandoutOut, required=True)
    path = Text(required=True, metadata={"description": "/handout/<token>; told this once and kept nowhere"})


class HandoutsOut(Schema):
    handouts = List(Nested(HandoutOut), required=True)
