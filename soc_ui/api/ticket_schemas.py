"""Shapes of tickets in requests and answers."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf

from operations.tickets.models import KINDS, LEVELS, LINK_KINDS, STATES
from operations.tickets.rules import ACTS
from operations.tickets.service import MAX_BODY, MAX_LINKS, MAX_NOTE, MAX_TITLE, MAX_ZONES
from soc_ui.api.schemas import Paging, Strict, String

_MOMENT = {"description": "ISO 8601, or empty for none"}


class TicketListIn(Paging):
    state = String(load_default="", validate=OneOf(["", *STATES]))
    kind = String(load_default="", validate=OneOf(["", *KINDS]))
    level = String(load_default="", validate=OneOf(["", *LEVELS]))
    bureau = String(load_default="", validate=Length(max=128), metadata={"description": "Addressed to this organisation"})
    mine = Boolean(load_default=False, metadata={"description": "Assigned or delegated to the caller"})
    overdue = Boolean(load_default=False)
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words of the title"})
    about = String(load_default="", validate=Length(max=160), metadata={"description": "kind:id, e.g. alert:17"})
    sort = String(load_default="updated", validate=OneOf(["updated", "due"]))


class LinkShape(Strict):
    kind = String(required=True, validate=OneOf(LINK_KINDS))
    value = String(required=True, validate=Length(1, 128))


class TicketIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    title = String(required=True, validate=Length(1, MAX_TITLE))
    body = String(load_default="", validate=Length(max=MAX_BODY))
    level = String(load_default="medium", validate=OneOf(LEVELS))
    bureau = String(load_default="", validate=Length(max=128), metadata={"description": "An owner of zones; empty: the operator"})
    assignee = String(load_default="", validate=Length(max=64))
    due_at = String(load_default="", validate=Length(max=40), metadata=_MOMENT)
    zones = List(String(validate=Length(1, 64)), load_default=[], validate=Length(max=MAX_ZONES))
    links = List(Nested(LinkShape), load_default=[], validate=Length(max=MAX_LINKS))


class TicketActIn(Strict):
    act = String(required=True, validate=OneOf(ACTS))
    note = String(load_default="", validate=Length(max=MAX_NOTE))
    assignee = String(load_default="", validate=Length(max=64), metadata={"description": "transfer, delegate: to whom"})
    bureau = String(validate=Length(max=128), metadata={"description": "transfer: to which organisation"})
    until = String(validate=Length(max=40), metadata={"description": "delegate: its end; edit: when it is due, or empty"})
    title = String(validate=Length(1, MAX_TITLE), metadata={"description": "edit"})
    body = String(validate=Length(max=MAX_BODY), metadata={"description": "edit"})
    level = String(validate=OneOf(LEVELS), metadata={"description": "edit"})


class CommentIn(Strict):
    note = String(required=True, validate=Length(1, MAX_NOTE))


class AttachmentIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    text = String(required=True, validate=Length(1, 65_536))


class AttachmentMadeOut(Schema):
    id = Integer(required=True)


class AttachmentTextOut(Schema):
    name = String(required=True)
    text = String(required=True)


class TicketOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    title = String(required=True)
    level = String(required=True)
    state = String(required=True, validate=OneOf(STATES))
    waiting_for = String(required=True, metadata={"description": "handler, issuer or empty (done)"})
    issuer = String(required=True, metadata={"description": "Organisation it comes from; empty: the operator"})
    bureau = String(required=True, metadata={"description": "Organisation it is addressed to; empty: the operator"})
    assignee = String(allow_none=True)
    delegate = String(allow_none=True)
    delegate_until = String(allow_none=True)
    created_by = String(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    due_at = String(allow_none=True)
    done_at = String(allow_none=True)
    overdue = Boolean(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class TicketPageOut(Schema):
    tickets = List(Nested(TicketOut), required=True)
    next_cursor = String(required=True)
    boxes = Dict(keys=String(), values=Integer(), metadata={"description": "Tickets by state, the filter's own state left out"})
    hidden = Integer(required=True, metadata={"description": "Tickets of others that this caller does not see"})


class ReceiptOut(Schema):
    name = String(required=True)
    time = String(required=True)


class AttachmentOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    size = Integer(required=True)
    actor = String(required=True)
    time = String(required=True)


class TicketStepOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    actor = String(required=True)
    act = String(required=True)
    note = String(required=True)
    detail = Dict(keys=String(), values=Raw(), metadata={"description": "Field: [before, after]"})


class TicketDetailOut(Schema):
    ticket = Nested(TicketOut, required=True)
    body = String(required=True)
    result = String(required=True)
    zones = List(String(), required=True)
    links = List(Nested(LinkShape), required=True)
    receipts = List(Nested(ReceiptOut), required=True)
    attachments = List(Nested(AttachmentOut), required=True)
    history = List(Nested(TicketStepOut), required=True)
    acts = List(String(), required=True, metadata={"description": "What the caller may do now"})
