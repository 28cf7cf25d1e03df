"""Shapes of ``/api/v1/accounts`` and ``/api/v1/proposals``."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range

from operations.accounts.listing import MAX_PAGE, SORTS, STATES
from operations.accounts.permissions import ROLES
from operations.accounts.proposals import MAX_DAYS, MAX_REASON
from operations.accounts.proposals import STATES as PROPOSAL_STATES
from soc_ui.api.schemas import Strict, String


class AccountListIn(Strict):
    role = String(load_default="", validate=OneOf(("", "-", *ROLES)))
    state = String(load_default="", validate=OneOf(("", *STATES)))
    text = String(load_default="", validate=Length(max=100))
    sort = String(load_default="name", validate=OneOf((*SORTS, *(f"-{name}" for name in SORTS))))
    limit = Integer(load_default=50, validate=Range(1, MAX_PAGE))
    cursor = String(load_default="", validate=Length(max=200))


class AccountIn(Strict):
    name = String(required=True, validate=Length(1, 64))
    display_name = String(load_default="", validate=Length(max=128))


class AccountChangeIn(Strict):
    active = Boolean(required=True)


class AccountOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    display_name = String(required=True)
    role = String(required=True, metadata={"description": '"" = none granted yet'})
    active = Boolean(required=True)
    organisations = List(String(), required=True)
    zones = List(String(), required=True)
    origin = String(required=True)
    factors = Integer(required=True)
    invited = Boolean(required=True)
    created_at = String(required=True)
    last_login_at = String(allow_none=True)
    expires_at = String(allow_none=True)
    removed_at = String(allow_none=True)
    disabled_for = String(required=True)


class AccountCreatedOut(AccountOut):
    link = String(required=True, metadata={"description": "Where its owner sets the password; told only now"})


class AccountPageOut(Schema):
    accounts = List(Nested(AccountOut), required=True)
    next_cursor = String(required=True)
    total = Integer(required=True)


class ProposalIn(Strict):
    kind = String(load_default="role", validate=OneOf(("role", "password", "factors")))
    role = String(load_default="", validate=OneOf(("", *ROLES)))
    organisations = List(String(validate=Length(1, 128)), load_default=[], validate=Length(max=64))
    zones = List(String(validate=Length(1, 64)), load_default=[], validate=Length(max=64))
    days = Integer(load_default=0, validate=Range(0, MAX_DAYS))
    reason = String(load_default="", validate=Length(max=MAX_REASON))


class ProposalListIn(Strict):
    state = String(load_default="open", validate=OneOf(("", *PROPOSAL_STATES)))


class ProposalOut(Schema):
    id = Integer(required=True)
    user_id = Integer(required=True)
    name = String(required=True)
    kind = String(required=True)
    role = String(required=True)
    before = String(required=True)
    organisations = List(String(), required=True)
    zones = List(String(), required=True)
    expires_at = String(allow_none=True)
    reason = String(required=True)
    state = String(required=True)
    proposed_by = String(required=True)
    proposed_at = String(required=True)
    decided_by = String(required=True)
    decided_at = String(allow_none=True)


class ProposalsOut(Schema):
    proposals = List(Nested(ProposalOut), required=True)
