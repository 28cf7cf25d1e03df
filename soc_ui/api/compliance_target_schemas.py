"""Shapes of targets of daily probes in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, File, Integer, List, Nested
from apiflask.fields import String as Text
from apiflask.validators import Length, OneOf

from compliance.probing.models import WAYS
from compliance.probing.needs import MOST_PEM
from soc_ui.api.schemas import Natural, Paging, Strict, String

_PLACE = "ssh, tls: HOST:PORT; a file: its path below [compliance] folder, the newest by * and ?, or empty where it is brought"
_NAME = "Name in the secret store: key or password (ssh), URL (postgresql)"
_HOST = "A report: whose results, where it is about several hosts"
_CA = "tls: authorities, or the very certificate, that the endpoint is held against (PEM); empty: those of the platform's machine"


class TargetListIn(Paging):
    system = Natural(load_default=0, metadata={"description": "0: every system"})
    failed = Boolean(load_default=False, metadata={"description": "Those whose last look failed"})


class TargetIn(Strict):
    system_id = Natural(required=True)
    object_id = Natural(load_default=0, metadata={"description": "0: the system as a whole"})
    way = String(required=True, validate=OneOf(WAYS))
    place = String(load_default="", validate=Length(max=300), metadata={"description": _PLACE})
    login = String(load_default="", validate=Length(max=64), metadata={"description": "ssh: account on the host"})
    secret = String(load_default="", validate=Length(max=128), metadata={"description": _NAME})
    host = String(load_default="", validate=Length(max=300), metadata={"description": _HOST})
    ca = String(load_default="", validate=Length(max=2 * MOST_PEM), metadata={"description": _CA})


class TargetChangeIn(TargetIn):
    enabled = Boolean(required=True, metadata={"description": "false: paused"})


class TargetOut(Schema):
    id = Integer(required=True)
    system_id = Integer(required=True)
    object_id = Integer(required=True)
    way = Text(required=True, validate=OneOf(WAYS))
    place = Text(required=True)
    login = Text(required=True)
    secret = Text(required=True, metadata={"description": "Its name; what it is is never told"})
    host = Text(required=True)
    ca = Text(required=True)
    enabled = Boolean(required=True)
    next_at = Text(required=True)
    run_at = Text(required=True, metadata={"description": "Tried last"})
    read_at = Text(required=True, metadata={"description": "Could be read last"})
    error = Text(required=True, metadata={"description": "Why the last look failed; empty: it did not"})
    evidence = Text(required=True, metadata={"description": "SM3 of the sealed evidence of the last run that could be read"})
    created_by = Text(required=True)
    created_at = Text(required=True)
    version = Integer(required=True)


class BroughtFileOut(Schema):
    name = Text(required=True)
    at = Text(required=True)
    brought_by = Text(required=True)
    sm3 = Text(required=True)
    size = Integer(required=True)


class TargetDetailOut(TargetOut):
    file = Nested(BroughtFileOut, required=True, allow_none=True)


class TargetPageOut(Schema):
    targets = List(Nested(TargetOut), required=True)
    next_cursor = Text(required=True)


class TargetFileIn(Strict):
    file = File(required=True, metadata={"description": "20 MiB at most"})


class ResultOut(Schema):
    probe = Text(required=True)
    items = List(Text(), required=True)
    units = List(Text(), required=True)
    outcome = Text(required=True, metadata={"description": "A verdict, or error: what it needs could not be read"})
    reason = Text(required=True)
    reason_zh = Text(required=True)
    to_be_confirmed = Boolean(required=True)
    sm3 = Text(required=True, metadata={"description": "Of the raw evidence"})
    reproduce = Text(required=True)
    at = Text(required=True)


class ResultPageOut(Schema):
    read_at = Text(required=True)
    results = List(Nested(ResultOut), required=True)
    next_cursor = Text(required=True)
