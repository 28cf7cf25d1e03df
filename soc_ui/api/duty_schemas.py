"""Shapes of the duty room in requests and answers."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from operations.duty.escalation import KINDS, MAX_REASON
from operations.duty.handover import MAX_NOTE
from operations.duty.log import MAX_TEXT, WRITTEN
from operations.duty.roster import MAX_DAYS, MAX_RANK, MAX_WISHES
from operations.duty.shifts import MAX_SHIFTS
from soc_ui.api.schemas import Paging, Strict, String

_DAY = {"description": "YYYY-MM-DD, in Beijing"}
_CLOCK = {"description": "HH:MM, in Beijing"}


class RosterQueryIn(Strict):
    first = String(load_default="", validate=Length(max=10), metadata=_DAY)
    days = Integer(load_default=14, validate=Range(1, MAX_DAYS))


class ShiftShape(Strict):
    id = String(required=True, validate=Length(1, 32))
    name = String(required=True, validate=Length(1, 64))
    name_en = String(load_default="", validate=Length(max=64))
    begins = String(required=True, validate=Length(5, 5), metadata=_CLOCK)
    ends = String(required=True, validate=Length(5, 5), metadata=_CLOCK)


class ShiftsIn(Strict):
    shifts = List(Nested(ShiftShape), required=True, validate=Length(1, MAX_SHIFTS))


class PlaceIn(Strict):
    day = String(required=True, validate=Length(max=10), metadata=_DAY)
    shift = String(required=True, validate=Length(1, 32))
    rank = Integer(required=True, validate=Range(1, MAX_RANK), metadata={"description": "1 is called first"})
    name = String(required=True, validate=Length(1, 64))


class PlacesIn(Strict):
    places = List(Nested(PlaceIn), required=True, validate=Length(1, MAX_WISHES))
    replace = Boolean(load_default=False, metadata={"description": "The shifts that are named lose what they had before"})


class FilledOut(Schema):
    filled = Integer(required=True)
    revision = Integer(required=True)


class PlaceOut(Schema):
    id = Integer(required=True)
    day = String(required=True)
    shift = String(required=True)
    rank = Integer(required=True)
    name = String(required=True)
    shown = String(required=True, metadata={"description": "Display name"})
    start_at = String(required=True)
    end_at = String(required=True)


class GapOut(Schema):
    start_at = String(required=True)
    end_at = String(required=True)


class RosterOut(Schema):
    revision = Integer(required=True, metadata={"description": "The ETag"})
    shifts = List(Nested(ShiftShape), required=True)
    proposed = Boolean(required=True, metadata={"description": "Nobody has set the shifts yet"})
    places = List(Nested(PlaceOut), required=True)
    gaps = List(Nested(GapOut), required=True, metadata={"description": "When nobody is called first"})


class OnDutyOut(Schema):
    now = List(Nested(PlaceOut), required=True)
    coming = List(Nested(PlaceOut), required=True)


class HandoverIn(Strict):
    note = String(required=True, validate=Length(1, MAX_NOTE))


class AcceptIn(Strict):
    remark = String(load_default="", validate=Length(max=MAX_NOTE))


class HandoverOut(Schema):
    id = Integer(required=True)
    day = String(required=True)
    shift = String(required=True)
    note = String(required=True)
    counts = Dict(keys=String(), values=Integer(), metadata={"description": "What was open when it was written"})
    written_by = String(required=True)
    written_at = String(required=True)
    accepted_by = String(allow_none=True)
    accepted_at = String(allow_none=True)
    remark = String(required=True)
    accepted_counts = Dict(keys=String(), values=Integer(), metadata={"description": "What was open when it was taken over"})
    version = Integer(required=True, metadata={"description": "The ETag"})


class HandoverPageOut(Schema):
    handovers = List(Nested(HandoverOut), required=True)
    next_cursor = String(required=True)


class LogIn(Strict):
    kind = String(load_default="note", validate=OneOf(WRITTEN))
    text = String(required=True, validate=Length(1, MAX_TEXT))


class LogOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    actor = String(required=True)
    kind = String(required=True)
    text = String(required=True)


class LogQueryIn(Paging):
    limit = Integer(load_default=50, validate=Range(1, 200))


class LogPageOut(Schema):
    entries = List(Nested(LogOut), required=True)
    next_cursor = String(required=True)


class EscalationIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    id = String(required=True, validate=Length(1, 128))
    reason = String(required=True, validate=Length(1, MAX_REASON))


class EscalationQueryIn(Strict):
    waiting = Boolean(load_default=False)
    limit = Integer(load_default=50, validate=Range(1, 200))


class EscalationOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    object_id = String(required=True)
    reason = String(required=True)
    step = Integer(required=True)
    from_name = String(required=True)
    to_name = String(required=True)
    time = String(required=True)
    acknowledged_by = String(allow_none=True)
    acknowledged_at = String(allow_none=True)


class EscalationsOut(Schema):
    escalations = List(Nested(EscalationOut), required=True)
