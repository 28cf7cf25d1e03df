"""Alerts and detections in the API: filters, changes, one alert, lists."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf, Range

from kernel.detection import LEVELS
from operations.alerts.desk_models import BULK_KINDS, BULK_STATES
from operations.alerts.facets import DIMENSIONS
from operations.alerts.grouping import BY
from operations.alerts.models import SETTABLE, STATUSES, VERDICTS
from operations.alerts.service import MAX_BULK
from operations.alerts.triage import MAX_NOTE
from soc_ui.api.schemas import Moment, Paging, Strict, String, many
from soc_ui.numbers import MAX_ROW_ID


class AlertFilterIn(Strict):
    status = many(*STATUSES)
    level = many(*LEVELS)
    engine = many()
    rule = many()
    host = many()
    tag = many()
    assignee = many()
    verdict = many(*VERDICTS)
    entity = List(
        String(validate=Length(3, 600)),
        load_default=[],
        validate=Length(max=10),
        metadata={"description": "kind:value, e.g. host:web1 or ip:192.0.2.7; all must be there"},
    )
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that must all occur"})
    start = Moment(load_default="", metadata={"description": "last_seen at or after"})
    end = Moment(load_default="", metadata={"description": "last_seen before"})
    suppressed = String(
        load_default="", validate=OneOf(["", "yes", "no"]),
        metadata={"description": "yes: only those that a suppression keeps out of the queue; no: all others"},
    )  # fmt: skip
    suppression = List(
        Integer(validate=Range(1, MAX_ROW_ID)), load_default=[], validate=Length(max=20),
        metadata={"description": "Began under one of these suppressions"},
    )  # fmt: skip
    merged_into = List(
        Integer(validate=Range(1, MAX_ROW_ID)), load_default=[], validate=Length(max=20),
        metadata={"description": "Merged into one of these alerts"},
    )  # fmt: skip


class AlertListIn(AlertFilterIn, Paging):
    order = String(load_default="newest", validate=OneOf(["newest", "oldest"]))
    count = Boolean(load_default=False, metadata={"description": "Also count all that match"})


class FacetsIn(AlertFilterIn):
    facet = List(String(validate=OneOf(DIMENSIONS)), load_default=list(DIMENSIONS))
    limit = Integer(load_default=12, validate=Range(1, 100))


class GroupsIn(AlertFilterIn):
    by = String(load_default="rule", validate=OneOf(list(BY)))


class AlertOut(Schema):
    id = Integer(required=True)
    rule_id = String(required=True)
    rule_name = String(required=True)
    engine = String(required=True)
    level = String(required=True, validate=OneOf(LEVELS))
    status = String(required=True, validate=OneOf(STATUSES))
    verdict = String(allow_none=True)
    assignee = String(allow_none=True)
    count = Integer(required=True, metadata={"description": "Detections counted in this alert"})
    first_seen = String(required=True)
    last_seen = String(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    host = String(allow_none=True)
    user = String(allow_none=True)
    source_ip = String(allow_none=True)
    destination_ip = String(allow_none=True)
    dataset = String(required=True)
    source = String(required=True)
    tags = List(String())
    version = Integer(required=True, metadata={"description": "Grows with each change a person makes; the ETag"})
    suppressed_by = Integer(allow_none=True, metadata={"description": "The suppression that it began under"})
    merged_into = Integer(allow_none=True, metadata={"description": "The alert that it is merged into"})


class AlertPageOut(Schema):
    alerts = List(Nested(AlertOut), required=True)
    next_cursor = String(required=True, metadata={"description": "Empty at the end"})
    total = Integer(allow_none=True)
    total_exact = Boolean(allow_none=True)


class EntityOut(Schema):
    kind = String(required=True)
    value = String(required=True)
    role = String(required=True)


class MatchedOut(Schema):
    field = String(required=True)
    value = String(required=True)
    pattern = String(required=True)
    selection = String(required=True)


class HistoryOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    actor = String(required=True)
    kind = String(required=True)
    before = Dict(keys=String(), values=Raw())
    after = Dict(keys=String(), values=Raw())
    note = String(required=True)
    batch = String(required=True)


class AlertDetailOut(Schema):
    alert = Nested(AlertOut, required=True)
    event = Dict(keys=String(), values=Raw(), metadata={"description": "First triggering event, ECS with dotted keys"})
    matched = List(Nested(MatchedOut))
    description = String()
    author = String()
    references = List(String())
    falsepositives = List(String())
    rule_file = String()
    group = Dict(keys=String(), values=String())
    entities = List(Nested(EntityOut))
    history = List(Nested(HistoryOut))


class ChangeIn(Strict):
    status = String(validate=OneOf(SETTABLE))
    verdict = String(validate=OneOf(VERDICTS), allow_none=True)
    assignee = String(validate=Length(1, 64), allow_none=True)
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class BulkIn(ChangeIn):
    ids = List(Integer(validate=Range(1, MAX_ROW_ID)), required=True, validate=Length(1, MAX_BULK))


class BulkOut(Schema):
    batch = String(required=True, metadata={"description": "Takes the change back: POST /alerts/undo"})
    changed = Integer(required=True)
    unchanged = Integer(required=True)
    missing = List(Integer())


class BulkActIn(ChangeIn):
    ids = List(
        Integer(validate=Range(1, MAX_ROW_ID)), load_default=[], validate=Length(max=10_000),
        metadata={"description": "Left out: all that match the filter"},
    )  # fmt: skip
    filter = Nested(AlertFilterIn, load_default=None, allow_none=True)


class BulkActOut(Schema):
    id = String(required=True, metadata={"description": "Also the batch that its undo names"})
    kind = String(required=True, validate=OneOf(BULK_KINDS))
    state = String(required=True, validate=OneOf(BULK_STATES))
    change = Dict(keys=String(), values=Raw())
    note = String(required=True)
    total = Integer(required=True)
    done = Integer(required=True, metadata={"description": "Looked at so far"})
    changed = Integer(required=True)
    unchanged = Integer(required=True)
    overtaken = Integer(required=True, metadata={"description": "Changed by others since the list was made: left as they are"})
    missing = Integer(required=True)
    named = List(Integer(), metadata={"description": "The first of those overtaken"})
    digest = String(required=True, metadata={"description": "SM3 of the list, as in the audit trail"})
    problem = String(required=True)
    undoes = String(required=True)
    created_at = String(required=True)
    finished_at = String(allow_none=True)


class PreviewOut(Schema):
    total = Integer(required=True)
    by_level = List(List(Raw()), metadata={"description": "value, label, number; the most frequent first"})
    by_rule = List(List(Raw()))
    by_zone = List(List(Raw()))
    by_status = List(List(Raw()))
    settled = Integer(required=True, metadata={"description": "Already as wanted"})
    hidden = Integer(required=True, metadata={"description": "Asked for, but not there for this caller"})
    cut = Boolean(required=True, metadata={"description": "More match than one act may hold"})
    overtaken = Integer(required=True)


class BulkDraftOut(Schema):
    bulk = Nested(BulkActOut, required=True)
    preview = Nested(PreviewOut, required=True)


class UndoIn(Strict):
    batch = String(required=True, validate=Length(32, 32))


class UndoOut(Schema):
    restored = Integer(required=True)


class NoteIn(Strict):
    note = String(required=True, validate=Length(1, MAX_NOTE))


class FacetValueOut(Schema):
    value = String(required=True)
    count = Integer(required=True)
    label = String(required=True)


class FacetOut(Schema):
    dimension = String(required=True)
    values = List(Nested(FacetValueOut))
    exact = Boolean(
        required=True,
        metadata={"description": "False: only the newest 5,000 matching alerts were counted (300 for a caller with a scope)"},
    )


class FacetsOut(Schema):
    facets = List(Nested(FacetOut), required=True)


class AlertGroupOut(Schema):
    value = String(required=True)
    name = String(required=True, metadata={"description": "Title of the newest alert's rule"})
    number = Integer(required=True)
    levels = Dict(keys=String(), values=Integer(), required=True)
    new = Integer(required=True, metadata={"description": "How many nobody has looked at"})
    hosts = Integer(required=True, metadata={"description": "Different hosts"})
    rules = Integer(required=True, metadata={"description": "Different rules"})
    newest = Integer(required=True, metadata={"description": "Id of the newest alert"})
    last_seen = String(required=True)


class AlertGroupsOut(Schema):
    groups = List(Nested(AlertGroupOut), required=True, metadata={"description": "At most 200, the worst first"})
    looked = Integer(required=True, metadata={"description": "How many of the newest matching alerts were grouped"})
    exact = Boolean(required=True, metadata={"description": "Whether these are all that match"})
    without = Integer(required=True, metadata={"description": "How many of them have no such value"})


class DetectionOut(Schema):
    id = String(required=True)
    time = String(required=True)
    event_ids = List(String())


class DetectionPageOut(Schema):
    detections = List(Nested(DetectionOut), required=True)
    next_cursor = String(required=True)
