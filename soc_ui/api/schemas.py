"""Shapes of requests and answers, as the OpenAPI description shows them. Unknown parameters are refused, not ignored: a misspelt
filter would otherwise return everything."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, Raw
from apiflask.fields import String as AnyString
from apiflask.validators import Length, OneOf, Range
from marshmallow import EXCLUDE, RAISE, ValidationError

from kernel.detection import LEVELS
from kernel.event import parse_timestamp
from operations.accounts.keys import MAX_DAYS, SCOPES
from operations.alerts.facets import DIMENSIONS
from operations.alerts.models import STATUSES, VERDICTS
from operations.alerts.service import MAX_BULK
from operations.alerts.triage import MAX_NOTE
from soc_ui.numbers import MAX_ROW_ID

PAGE = 500


class String(AnyString):
    """Text. JSON can spell half a character (``\\ud800``), which no database can keep."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValidationError("Not valid Unicode text.") from error
        return text


class Strict(Schema):
    """Refuses what it does not know."""

    class Meta:
        unknown = RAISE


class Moment(String):
    """ISO 8601 moment; becomes @timestamp text. Without a zone it is UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = parse_timestamp(super()._deserialize(value, attr, data, **kwargs) or "")
        if text is None:
            raise ValidationError("Not an ISO 8601 moment, e.g. 2026-11-23T04:40:00Z.")
        return text


def _many(*allowed: str, longest: int = 255) -> List:
    check = OneOf(allowed) if allowed else Length(1, longest)
    return List(String(validate=check), load_default=[], validate=Length(max=50))


class Paging(Strict):
    limit = Integer(load_default=50, validate=Range(1, PAGE), metadata={"description": "Rows a page"})
    cursor = String(load_default="", validate=Length(max=255), metadata={"description": "next_cursor of the page before"})


class AlertFilterIn(Strict):
    status = _many(*STATUSES)
    level = _many(*LEVELS)
    engine = _many()
    rule = _many()
    host = _many()
    tag = _many()
    assignee = _many()
    verdict = _many(*VERDICTS)
    entity = List(
        String(validate=Length(3, 600)),
        load_default=[],
        validate=Length(max=10),
        metadata={"description": "kind:value, e.g. host:web1 or ip:192.0.2.7; all must be there"},
    )
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that must all occur"})
    start = Moment(load_default="", metadata={"description": "last_seen at or after"})
    end = Moment(load_default="", metadata={"description": "last_seen before"})


class AlertListIn(AlertFilterIn, Paging):
    order = String(load_default="newest", validate=OneOf(["newest", "oldest"]))
    count = Boolean(load_default=False, metadata={"description": "Also count all that match"})


class FacetsIn(AlertFilterIn):
    facet = List(String(validate=OneOf(DIMENSIONS)), load_default=list(DIMENSIONS))
    limit = Integer(load_default=12, validate=Range(1, 100))


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
    status = String(validate=OneOf(STATUSES))
    verdict = String(validate=OneOf(VERDICTS), allow_none=True)
    assignee = String(validate=Length(1, 64), allow_none=True)
    note = String(load_default="", validate=Length(max=MAX_NOTE))


class IfMatchIn(Schema):
    """The other headers of a request are none of our business, hence EXCLUDE."""

    class Meta:
        unknown = EXCLUDE

    if_match = String(
        data_key="If-Match",
        load_default="",
        metadata={"description": "The ETag that the decision was made on, or * to change in any case; needed"},
    )


class BulkIn(ChangeIn):
    ids = List(Integer(validate=Range(1, MAX_ROW_ID)), required=True, validate=Length(1, MAX_BULK))


class BulkOut(Schema):
    batch = String(required=True, metadata={"description": "Takes the change back: POST /alerts/undo"})
    changed = Integer(required=True)
    unchanged = Integer(required=True)
    missing = List(Integer())


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
    exact = Boolean(required=True, metadata={"description": "False: only the newest 5,000 matching alerts were counted"})


class FacetsOut(Schema):
    facets = List(Nested(FacetOut), required=True)


class DetectionOut(Schema):
    id = String(required=True)
    time = String(required=True)
    event_ids = List(String())


class DetectionPageOut(Schema):
    detections = List(Nested(DetectionOut), required=True)
    next_cursor = String(required=True)


class EventQueryIn(Strict):
    query = String(
        load_default="",
        validate=Length(max=4000),
        metadata={"description": "e.g. process.name:powershell.exe AND NOT user.name:svc_*"},
    )
    start = Moment(load_default="")
    end = Moment(load_default="")


class EventSearchIn(EventQueryIn, Paging):
    field = List(
        String(validate=Length(1, 255)), load_default=[], validate=Length(max=50), metadata={"description": "* for the whole event"}
    )


class EventTopIn(EventQueryIn):
    field = String(required=True, validate=Length(1, 255))
    limit = Integer(load_default=10, validate=Range(1, 1000))


class EventHistogramIn(EventQueryIn):
    buckets = Integer(load_default=60, validate=Range(1, 500))


class EventPageOut(Schema):
    events = List(Dict(keys=String(), values=Raw()), required=True)
    next_cursor = String(required=True)


class EventOut(Schema):
    event = Dict(keys=String(), values=Raw(), required=True)


class NearIn(Strict):
    near = Moment(load_default="", metadata={"description": "The event's @timestamp, if known: makes it quick"})


class BucketOut(Schema):
    key = Raw(required=True)
    count = Integer(required=True)


class BucketsOut(Schema):
    buckets = List(Nested(BucketOut), required=True)


class RuleListIn(Paging):
    engine = String(load_default="", validate=Length(max=16))
    level = String(load_default="", validate=OneOf(["", *LEVELS]))


class RuleOut(Schema):
    id = String(required=True)
    title = String(required=True)
    title_zh = String(required=True, metadata={"description": "Empty where the rule has no Chinese title"})
    level = String(required=True)
    engine = String(required=True)
    tags = List(String())
    file = String()
    status = String()
    description = String()
    author = String()
    references = List(String())


class RulePageOut(Schema):
    rules = List(Nested(RuleOut), required=True)
    next_cursor = String(required=True)


class RuleFailureOut(Schema):
    file = String(required=True)
    line = Integer(required=True)
    reason = String(required=True)


class RuleFailuresOut(Schema):
    failures = List(Nested(RuleFailureOut), required=True)


class SourceOut(Schema):
    id = String(required=True)
    kind = String(required=True)
    received = Integer()
    stored = Integer()
    quarantined = Integer()
    dropped = Integer()
    lag_seconds = Float()
    last_received = String()
    error = String()


class SourcesOut(Schema):
    sources = List(Nested(SourceOut), required=True)


class HealthOut(Schema):
    status = String(required=True, validate=OneOf(["ok", "degraded"]))
    version = String(required=True)
    sources = Integer(required=True)
    failing_sources = List(String())
    store = Dict(keys=String(), values=Raw())
    counters = Dict(keys=String(), values=Integer())


class MeOut(Schema):
    name = String(required=True)
    role = String(required=True)
    scope = String(required=True)
    permissions = List(String())
    zones = List(String(), allow_none=True, metadata={"description": "Zones that can be seen; null = all"})


class WebhookIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    url = String(required=True, validate=Length(1, 2048))
    min_level = String(load_default="medium", validate=OneOf(LEVELS))


class WebhookChangeIn(Strict):
    name = String(validate=Length(1, 128))
    url = String(validate=Length(1, 2048))
    min_level = String(validate=OneOf(LEVELS))
    enabled = Boolean()


class WebhookOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    url = String(required=True)
    min_level = String(required=True)
    enabled = Boolean(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    version = Integer(required=True)


class WebhookCreatedOut(WebhookOut):
    secret = String(required=True, metadata={"description": "Signing secret, told only now"})


class SecretOut(Schema):
    secret = String(required=True)


class WebhooksOut(Schema):
    webhooks = List(Nested(WebhookOut), required=True)


class DeliveriesIn(Paging):
    status = String(load_default="", validate=OneOf(["", "pending", "delivered", "dead"]))


class DeliveryOut(Schema):
    id = Integer(required=True)
    target_id = Integer(required=True)
    message_id = String(required=True)
    event_type = String(required=True)
    status = String(required=True)
    attempts = Integer(required=True)
    due_at = String(required=True)
    created_at = String(required=True)
    finished_at = String(allow_none=True)


class DeliveryPageOut(Schema):
    deliveries = List(Nested(DeliveryOut), required=True)
    next_cursor = String(required=True)


class AttemptOut(Schema):
    time = String(required=True)
    milliseconds = Integer(required=True)
    status_code = Integer(allow_none=True)
    error = String(required=True)
    answer = String(required=True)


class AttemptsOut(Schema):
    attempts = List(Nested(AttemptOut), required=True)


class TestSentOut(Schema):
    delivery_id = Integer(required=True)


class KeyIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    scope = String(load_default="read", validate=OneOf(SCOPES))
    days = Integer(load_default=90, validate=Range(1, MAX_DAYS))
    permissions = _many(longest=64)
    networks = _many(longest=64)


class KeyNarrowIn(Strict):
    permissions = List(String(validate=Length(1, 64)), required=True, validate=Length(1, 50))
    networks = List(String(validate=Length(1, 64)), validate=Length(max=50))


class KeyOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    prefix = String(required=True)
    scope = String(required=True)
    owner = String(required=True)
    created_at = String(required=True)
    expires_at = String(required=True)
    used_at = String(allow_none=True)
    revoked_at = String(allow_none=True)
    permissions = List(String(), required=True)
    networks = List(String(), required=True)


class KeyCreatedOut(KeyOut):
    key = String(required=True, metadata={"description": "The key, told only now"})


class KeysOut(Schema):
    keys = List(Nested(KeyOut), required=True)


class AuditListIn(Paging):
    actor = String(load_default="", validate=Length(max=160))
    action = String(load_default="", validate=Length(max=64))
    object_type = String(load_default="", validate=Length(max=32))
    object_id = String(load_default="", validate=Length(max=128))


class AuditEntryOut(Schema):
    id = Integer(required=True)
    time = String(required=True)
    actor = String(required=True)
    address = String(required=True)
    action = String(required=True)
    object_type = String(required=True)
    object_id = String(required=True)
    result = String(required=True)
    detail = Dict(keys=String(), values=Raw())


class AuditPageOut(Schema):
    entries = List(Nested(AuditEntryOut), required=True)
    next_cursor = String(required=True)


class VerificationOut(Schema):
    ok = Boolean(required=True)
    checked = Integer(required=True, metadata={"description": "Up to which entry everything is in order"})
    bad_id = Integer(required=True, metadata={"description": "The first entry that does not fit, 0 when all do"})
    reason = String(required=True)
    place = String(required=True, metadata={"description": "What gave it away: changed, missing, rollback, root, key, file, …"})
    findings = List(String())
    heads = Integer(required=True, metadata={"description": "Signed heads that were checked"})
    since = Integer(required=True)


class VerifyIn(Schema):
    since = Integer(
        load_default=0,
        validate=Range(0, MAX_ROW_ID),
        metadata={"description": "Begin with the last head of at most so many entries"},
    )


class SignedHeadOut(Schema):
    log = String(required=True, metadata={"description": "Id of the trail: that of its first key"})
    size = Integer(required=True)
    root = String(required=True)
    time = String(required=True)
    key_id = String(required=True)
    signature = String(required=True, metadata={"description": "SM2 with SM3, DER, base64"})


class AuditKeyOut(Schema):
    number = Integer(required=True)
    id = String(required=True)
    public = String(required=True)
    time = String(required=True)
    from_size = Integer(required=True)
    endorsed_by = String(required=True)
    endorsement = String(required=True)


class CopyOut(Schema):
    place = String(required=True)
    size = Integer(required=True)
    time = String(required=True)
    error = String(required=True)


class TreeOut(Schema):
    size = Integer(required=True)
    root = String(required=True)
    tree_from = Integer(required=True)
    tree_since = String(required=True)
    purged = Integer(required=True)


class HeadsIn(Schema):
    limit = Integer(load_default=20, validate=Range(1, 500))


class HeadsOut(Schema):
    tree = Nested(TreeOut, required=True)
    heads = List(Nested(SignedHeadOut), required=True)
    keys = List(Nested(AuditKeyOut), required=True)
    copies = List(Nested(CopyOut), required=True)


class InclusionIn(Schema):
    size = Integer(
        validate=Range(1, MAX_ROW_ID), metadata={"description": "Size of the tree; without it, that of the last signed head"}
    )


class InclusionOut(Schema):
    entry_id = Integer(required=True)
    size = Integer(required=True)
    root = String(required=True)
    leaf = String(required=True)
    path = List(String(), required=True)
    entry = String(required=True, metadata={"description": "Canonical JSON; empty once it is purged"})
    head = Nested(SignedHeadOut, allow_none=True, metadata={"description": "The signed head of that size, if there is one"})
    keys = List(Nested(AuditKeyOut), required=True)


class ConsistencyIn(Schema):
    first = Integer(required=True, validate=Range(0, MAX_ROW_ID))
    second = Integer(validate=Range(0, MAX_ROW_ID))


class ConsistencyOut(Schema):
    first = Integer(required=True)
    second = Integer(required=True)
    first_root = String(required=True)
    second_root = String(required=True)
    path = List(String(), required=True)
