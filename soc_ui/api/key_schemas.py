"""API keys in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from operations.accounts.keys import MAX_DAYS, SCOPES
from soc_ui.api.schemas import Strict, String, many


class KeyIn(Strict):
    name = String(required=True, validate=Length(1, 128))
    scope = String(load_default="read", validate=OneOf(SCOPES))
    days = Integer(load_default=90, validate=Range(1, MAX_DAYS))
    permissions = many(longest=64)
    networks = many(longest=64)


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
