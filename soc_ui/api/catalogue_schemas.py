"""Rules, sources, health, and who is asking, in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Dict, Float, Integer, List, Nested, Raw
from apiflask.validators import Length, OneOf

from kernel.detection import LEVELS
from soc_ui.api.schemas import Paging, String


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
