"""Shapes of early warnings in requests and answers."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf, Range

from operations.warnings.deadlines import STATES, STEPS
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS
from operations.warnings.schema import MAX_NOTE, MAX_RECEIVERS, MAX_TEXT, MAX_TITLE, SOURCES, STATUSES
from operations.warnings.settings import MAX_SOURCE, NAMES
from soc_ui.api.schemas import Paging, Strict, String, many
from soc_ui.numbers import MAX_ROW_ID


def _names(longest: int, description: str) -> List:
    return List(
        String(validate=Length(1, longest)),
        load_default=[],
        validate=Length(max=MAX_RECEIVERS),
        metadata={"description": description},
    )


def _text(name: str) -> String:
    return String(load_default="", validate=Length(max=MAX_TEXT), metadata={"description": name})


class WarningListIn(Paging):
    status = many(*STATUSES)
    level = many(*LEVELS)
    source = many(*SOURCES)
    organisation = String(load_default="", validate=Length(max=128), metadata={"description": "Name of a receiver"})
    zone = String(load_default="", validate=Length(max=64), metadata={"description": "Id of a zone that a published one names"})
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that must all occur"})
    overdue = Boolean(load_default=False, metadata={"description": "Somebody is late"})
    mine = Boolean(load_default=False, metadata={"description": "Waiting for an organisation of the caller"})
    order = String(load_default="newest", validate=OneOf(["newest", "oldest"]))


class DraftIn(Strict):
    title = String(required=True, validate=Length(1, MAX_TITLE))
    importance = String(load_default="general", validate=OneOf(IMPORTANCE))
    harm = String(load_default="general", validate=OneOf(HARM))
    level = String(
        load_default="", validate=OneOf(["", *LEVELS]), metadata={"description": "Empty: as the matrix says for both factors"}
    )
    nature = _text("事件性质")
    threat = _text("威胁方式")
    extent = _text("影响范围")
    objects = _text("涉及对象")
    effect = _text("影响程度")
    measures = _text("防范对策")
    organisations = _names(128, "Receivers by name, as the zone plan names owners")
    zones = _names(64, "Zones by id; their owners receive it")


class NewWarningIn(DraftIn):
    alert = Integer(
        load_default=None, allow_none=True, validate=Range(1, MAX_ROW_ID), metadata={"description": "The alert it comes from"}
    )


class WarningNoteIn(Strict):
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class WarningReasonIn(Strict):
    note = String(required=True, validate=Length(1, MAX_NOTE))


class PublishIn(WarningNoteIn):
    organisations = List(
        String(validate=Length(1, 128)), load_default=None, allow_none=True, validate=Length(max=MAX_RECEIVERS),
        metadata={"description": "Left out: as the draft says"},
    )  # fmt: skip
    zones = List(
        String(validate=Length(1, 64)), load_default=None, allow_none=True, validate=Length(max=MAX_RECEIVERS),
        metadata={"description": "Left out: as the draft says"},
    )  # fmt: skip


class AdjustIn(Strict):
    importance = String(required=True, validate=OneOf(IMPORTANCE))
    harm = String(required=True, validate=OneOf(HARM))
    level = String(load_default="", validate=OneOf(["", *LEVELS]))
    measures = String(load_default=None, allow_none=True, validate=Length(max=MAX_TEXT))
    reason = String(required=True, validate=Length(1, MAX_NOTE))


class ReceiveIn(Strict):
    organisation = String(required=True, validate=Length(1, 128))
    edition = Integer(required=True, validate=Range(1, 10_000), metadata={"description": "The edition that was read"})
    comment = String(load_default="", validate=Length(max=MAX_NOTE))


class FeedbackIn(Strict):
    organisation = String(required=True, validate=Length(1, 128))
    edition = Integer(required=True, validate=Range(1, 10_000), metadata={"description": "The edition that was read"})
    feedback = String(required=True, validate=Length(1, MAX_TEXT))


class WarningOut(Schema):
    id = Integer(required=True)
    status = String(required=True, validate=OneOf(STATUSES))
    level = String(required=True, validate=OneOf(LEVELS))
    importance = String(required=True, validate=OneOf(IMPORTANCE))
    harm = String(required=True, validate=OneOf(HARM))
    title = String(required=True)
    nature = String(required=True)
    threat = String(required=True)
    extent = String(required=True)
    objects = String(required=True)
    effect = String(required=True)
    measures = String(required=True)
    organisations = List(String(), required=True)
    zones = List(String(), required=True)
    edition = Integer(required=True, metadata={"description": "0 before publication, one more with every adjustment"})
    year = Integer(allow_none=True)
    number = Integer(allow_none=True)
    label = String(required=True, metadata={"description": "〔year〕第 number 号"})
    author = String(required=True)
    contributors = List(String(), required=True, metadata={"description": "Who wrote in it and cannot approve it"})
    source = String(required=True, validate=OneOf(SOURCES))
    source_alert = Integer(allow_none=True)
    reasons = List(Dict(keys=String(), values=Raw()), metadata={"description": "Why it drafted itself"})
    created_at = String(required=True)
    updated_at = String(required=True)
    approved_by = String(required=True)
    approved_at = String(allow_none=True)
    published_at = String(allow_none=True)
    closed_at = String(allow_none=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class ProgressOut(Schema):
    organisations = Integer(required=True)
    received = Integer(required=True)
    answered = Integer(required=True)
    overdue = Integer(required=True, metadata={"description": "Organisations that are late"})


class BoardRowOut(Schema):
    warning = Nested(WarningOut, required=True)
    progress = Nested(ProgressOut, required=True)


class WarningPageOut(Schema):
    warnings = List(Nested(BoardRowOut), required=True)
    next_cursor = String(required=True)
    hidden = Integer(required=True, metadata={"description": "Published ones that went to others"})


class ReceiptOut(Schema):
    edition = Integer(required=True)
    organisation = String(required=True)
    sent_at = String(required=True)
    receipt_due = String(required=True)
    feedback_due = String(required=True)
    received_at = String(allow_none=True)
    received_by = String(required=True)
    comment = String(required=True)
    feedback_at = String(allow_none=True)
    feedback_by = String(required=True)
    feedback = String(required=True)
    state = String(required=True, validate=OneOf(STATES))
    overdue = List(String(validate=OneOf(STEPS)))
    reminded = List(String(validate=OneOf(STEPS)))


class WarningHistoryOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    actor = String(required=True)
    act = String(required=True)
    edition = Integer(required=True)
    organisation = String(required=True)
    before = Dict(keys=String(), values=Raw())
    after = Dict(keys=String(), values=Raw())
    note = String(required=True)


class WarningDetailOut(Schema):
    warning = Nested(WarningOut, required=True)
    progress = Nested(ProgressOut, required=True)
    receipts = List(Nested(ReceiptOut), required=True, metadata={"description": "The edition in force first"})
    history = List(Nested(WarningHistoryOut), required=True, metadata={"description": "Newest first"})


class WaitingOut(Schema):
    sign = Integer(required=True)
    answer = Integer(required=True)
    approve = Integer(required=True)
    publish = Integer(required=True)


class BulletinIn(Strict):
    format = String(load_default="pdf", validate=OneOf(["pdf", "docx"]))
    language = String(load_default="zh", validate=OneOf(["zh", "en"]))


class SettingOut(Schema):
    name = String(required=True, validate=OneOf(NAMES))
    value = Dict(keys=String(), values=Raw(), required=True)
    source = String(required=True, metadata={"description": "Where the values come from"})
    to_be_confirmed = Boolean(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag; 0 = as shipped"})


class SettingsOut(Schema):
    settings = List(Nested(SettingOut), required=True)


class SettingIn(Strict):
    value = Dict(keys=String(), values=Raw(), required=True)
    source = String(required=True, validate=Length(1, MAX_SOURCE))
    to_be_confirmed = Boolean(required=True)
