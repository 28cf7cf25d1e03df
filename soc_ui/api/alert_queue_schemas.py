"""Saved views, suppressions, merging and similar alerts in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.validators import Length

from operations.alerts.saved_views import MAX_NAME, MAX_QUERY
from soc_ui.api.schemas import Strict, String

_QUERY = {"description": "Parameters of the page /alerts, e.g. status=new&level=high&assignee=*me (*me: whoever looks)"}


class ViewIn(Strict):
    name = String(required=True, validate=Length(1, MAX_NAME))
    query = String(required=True, validate=Length(max=MAX_QUERY), metadata=_QUERY)
    shared = Boolean(load_default=False, metadata={"description": "With all accounts of the same scope"})


class ViewChangeIn(Strict):
    name = String(validate=Length(1, MAX_NAME))
    query = String(validate=Length(max=MAX_QUERY), metadata=_QUERY)
    shared = Boolean()


class ViewOut(Schema):
    slug = String(required=True, metadata={"description": "The page shows it at /alerts?view=<slug>"})
    name = String(required=True)
    query = String(required=True)
    shared = Boolean(required=True)
    owner = String(required=True)
    mine = Boolean(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    version = Integer(required=True)


class ViewsOut(Schema):
    views = List(Nested(ViewOut), required=True)
