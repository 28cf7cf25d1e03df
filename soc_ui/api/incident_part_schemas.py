"""Parts of an incident in the API: tasks, timeline, indicators, affected assets."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf

from kernel.zones.model import LAYERS
from operations.incidents.models import ASSET_KINDS, ASSET_STATES, INDICATOR_KINDS, TASK_STATES
from operations.incidents.phases import OPEN
from operations.incidents.texts import LINE, LONG, SHORT, TITLE
from operations.incidents.timeline import WRITTEN
from soc_ui.api.schemas import Moment, Strict, String


class TaskOut(Schema):
    id = Integer(required=True)
    template = String(required=True, metadata={"description": "Key of the template; empty = by hand"})
    title = String(required=True)
    phase = String(required=True)
    status = String(required=True)
    assignee = String(required=True)
    due_at = String(required=True)
    result = String(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    done_at = String(required=True)
    done_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class TasksOut(Schema):
    tasks = List(Nested(TaskOut), required=True)


class TaskIn(Strict):
    title = String(required=True, validate=Length(1, TITLE))
    phase = String(load_default="containment", validate=OneOf(OPEN))
    assignee = String(load_default="", validate=Length(max=64))
    due_at = Moment(load_default="")


class TaskChangeIn(Strict):
    status = String(validate=OneOf(TASK_STATES))
    assignee = String(validate=Length(max=64))
    due_at = Moment()
    result = String(validate=Length(max=LONG), metadata={"description": "Needed for dropping"})


class AddedOut(Schema):
    added = Integer(required=True)


class TimelineEntryOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    recorded_at = String(required=True)
    actor = String(required=True)
    kind = String(required=True, metadata={"description": "act, alert, entry, note, decision"})
    act = String(required=True)
    detail = Dict(keys=String(), values=Raw(), required=True)
    text = String(required=True)
    alert_id = Integer(required=True, allow_none=True)


class TimelineOut(Schema):
    entries = List(Nested(TimelineEntryOut), required=True)


class TimelineEntryIn(Strict):
    kind = String(load_default="note", validate=OneOf(WRITTEN))
    text = String(required=True, validate=Length(1, LONG))
    time = Moment(load_default="", metadata={"description": "When it happened; only for kind entry"})


class IndicatorOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    value = String(required=True)
    source = String(required=True)
    note = String(required=True)
    added_at = String(required=True)
    added_by = String(required=True)
    elsewhere = List(Integer(), required=True, metadata={"description": "Other incidents with the same value"})


class IndicatorsOut(Schema):
    indicators = List(Nested(IndicatorOut), required=True)


class IndicatorIn(Strict):
    kind = String(required=True, validate=OneOf(INDICATOR_KINDS))
    value = String(required=True, validate=Length(1, 600), metadata={"description": "Defanged spellings are read"})
    note = String(load_default="", validate=Length(max=512))


class AffectedOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    name = String(required=True)
    zone = String(required=True)
    layer = String(required=True)
    organisation = String(required=True)
    state = String(required=True)
    impact = String(required=True)
    added_at = String(required=True)
    added_by = String(required=True)
    version = Integer(required=True, metadata={"description": "The ETag"})


class AffectedListOut(Schema):
    assets = List(Nested(AffectedOut), required=True)
    hidden = Integer(required=True, metadata={"description": "In zones outside of the caller's scope"})


class AffectedIn(Strict):
    kind = String(required=True, validate=OneOf(ASSET_KINDS))
    name = String(required=True, validate=Length(1, TITLE))
    zone = String(load_default="", validate=Length(max=64))
    layer = String(load_default="", validate=OneOf(["", *LAYERS]))
    organisation = String(load_default="", validate=Length(max=SHORT))
    impact = String(load_default="", validate=Length(max=LINE))


class AffectedChangeIn(Strict):
    state = String(required=True, validate=OneOf(ASSET_STATES))
    impact = String(required=True, validate=Length(max=LINE))
