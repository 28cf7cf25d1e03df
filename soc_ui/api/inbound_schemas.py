"""Sources of inbound webhooks in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from kernel.detection import LEVELS
from operations.inbound.schema import OUTCOMES
from operations.inbound.service import MAX_RATE
from soc_ui.api.schemas import Strict, String

_ZONE = "Zone that its alerts belong to; empty = none: only people without a scope see them"
_OWNER = "Owner of the zone; empty = taken from the zone"


class InboundIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    organisation = String(load_default="", validate=Length(0, 128), metadata={"description": _OWNER})
    zone = String(load_default="", validate=Length(0, 64), metadata={"description": _ZONE})
    max_level = String(load_default="high", validate=OneOf(LEVELS), metadata={"description": "What is higher is taken down to it"})
    rate = Integer(load_default=60, strict=True, validate=Range(1, MAX_RATE), metadata={"description": "Messages a minute"})


class InboundChangeIn(Strict):
    name = String(validate=Length(1, 128))
    organisation = String(validate=Length(0, 128), metadata={"description": _OWNER})
    zone = String(validate=Length(0, 64), metadata={"description": _ZONE})
    max_level = String(validate=OneOf(LEVELS))
    rate = Integer(strict=True, validate=Range(1, MAX_RATE))
    enabled = Boolean()


class InboundCountOut(Schema):
    outcome = String(required=True, validate=OneOf(OUTCOMES))
    number = Integer(required=True)
    last_at = String(required=True, metadata={"description": 'When it happened last; "" = never'})


class InboundOut(Schema):
    id = Integer(required=True)
    public_id = String(required=True, metadata={"description": "Messages go to /api/v1/inbound/<public_id>"})
    name = String(required=True)
    organisation = String(required=True)
    zone = String(required=True)
    max_level = String(required=True)
    enabled = Boolean(required=True)
    rate = Integer(required=True)
    previous_until = String(
        required=True, metadata={"description": 'Until then the secret before this one is good, too; "" = it is not'}
    )
    created_at = String(required=True)
    created_by = String(required=True)
    version = Integer(required=True)
    counts = List(Nested(InboundCountOut), required=True)


class InboundCreatedOut(InboundOut):
    secret = String(required=True, metadata={"description": "Signing secret whsec_…, told only now"})


class InboundListOut(Schema):
    sources = List(Nested(InboundOut), required=True)


class InboundSecretOut(Schema):
    secret = String(required=True, metadata={"description": "Signing secret whsec_…, told only now"})


class InboundTakenOut(Schema):
    status = String(required=True, validate=OneOf(["accepted", "repeated"]))
