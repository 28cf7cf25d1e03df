"""Webhooks in the API: targets, deliveries, attempts."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested
from apiflask.validators import Length, OneOf

from kernel.detection import LEVELS
from operations.webhooks.channels.registry import KINDS
from soc_ui.api.schemas import Paging, Strict, String

SETTINGS = "What the kind knows: sm3, ca; language, template, ca; from, to, user, language, template, ca (docs/webhooks.md)"
ROUTING = (
    "Rules (types, min_level, zones, organisations, hours), quiet hours, digest (docs/webhooks.md); empty = everything, always"
)
CREDENTIAL = "Secret of a robot, password of a mailbox; sealed, never told again"


class WebhookIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    url = String(required=True, validate=Length(1, 2048))
    min_level = String(load_default="medium", validate=OneOf(LEVELS))
    kind = String(load_default="standard", validate=OneOf(KINDS))
    settings = Dict(keys=String(), load_default=dict, metadata={"description": SETTINGS})
    routing = Dict(keys=String(), load_default=dict, metadata={"description": ROUTING})
    secret = String(load_default="", validate=Length(0, 512), metadata={"description": CREDENTIAL})


class WebhookChangeIn(Strict):
    name = String(validate=Length(1, 128))
    url = String(validate=Length(1, 2048))
    min_level = String(validate=OneOf(LEVELS))
    enabled = Boolean()
    settings = Dict(keys=String(), metadata={"description": SETTINGS + "; replaces all of them"})
    routing = Dict(keys=String(), metadata={"description": ROUTING + "; replaces it"})
    secret = String(validate=Length(1, 512), metadata={"description": CREDENTIAL})


class WebhookOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    url = String(required=True)
    min_level = String(required=True)
    enabled = Boolean(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    version = Integer(required=True)
    kind = String(required=True, validate=OneOf(KINDS))
    settings = Dict(keys=String(), required=True)
    routing = Dict(keys=String(), required=True)
    failures = Integer(required=True, metadata={"description": "Rounds since the last success"})
    paused_until = String(required=True, metadata={"description": 'The circuit breaker is open until then; "" = it is closed'})


class WebhookCreatedOut(WebhookOut):
    secret = String(required=True, metadata={"description": "Signing secret, told only now;  for kinds whose secret is given"})


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


class PreviewIn(Strict):
    kind = String(required=True, validate=OneOf(KINDS))
    language = String(load_default="zh", validate=OneOf(["zh", "en"]))
    template = String(load_default="", validate=Length(0, 4000))


class PreviewOut(Schema):
    subject = String(required=True)
    text = String(required=True)


class RehearsalIn(Strict):
    min_level = String(load_default="medium", validate=OneOf(LEVELS))
    routing = Dict(keys=String(), load_default=dict, metadata={"description": ROUTING})


class RehearsedOut(Schema):
    time = String(required=True)
    event_type = String(required=True)
    level = String(required=True)
    subject = String(required=True, metadata={"description": "Its number, where it has one"})
    zones = List(String(), required=True)
    organisations = List(String(), required=True)
    verdict = String(required=True, validate=OneOf(["now", "later", "level", "rules"]))
    due_at = String(required=True, metadata={"description": 'When it would have gone; "" = not at all'})
    rule = Integer(required=True, metadata={"description": "The rule that lets it through, from 1; 0 = none"})


class RehearsalOut(Schema):
    notifications = List(Nested(RehearsedOut), required=True)


class ReplayedOut(Schema):
    deliveries = Integer(required=True, metadata={"description": "How many go out again"})


class TestSentOut(Schema):
    delivery_id = Integer(required=True)
