"""The audit trail in the API: entries, verification, signed heads, proofs."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, Raw
from apiflask.validators import Length, Range

from soc_ui.api.schemas import Paging, String
from soc_ui.numbers import MAX_ROW_ID


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
