"""``/api/v1/accounts`` and ``/api/v1/proposals``: the life of accounts, and what takes effect when a second person confirms it.

Only for people: no key may do any of this, and every change needs a fresh proof (header ``X-Proof``, or a log-in minutes ago).
"""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response, request, url_for
from marshmallow import RAISE

from operations.accounts import links, listing, proposals, service
from operations.accounts.listing import AccountFilter
from operations.accounts.schema import Reach
from soc_ui.api import account_schemas as schemas
from soc_ui.api import guard
from soc_ui.api.guard import caller, permit
from soc_ui.services import services

accounts = APIBlueprint("api_accounts", __name__, url_prefix="/api/v1", tag="accounts")
Body = dict[str, Any]


@accounts.get("/accounts")
@permit(accounts, "accounts.read")
@accounts.input(schemas.AccountListIn, location="query", unknown=RAISE)
@accounts.output(schemas.AccountPageOut)
def list_accounts(query_data: Body) -> Body:
    """List accounts"""
    where = AccountFilter(query_data["role"], query_data["state"], query_data["text"])
    with services().database.read() as session:
        page = listing.list_accounts(
            session, where, sort=query_data["sort"], limit=query_data["limit"], cursor=query_data["cursor"]
        )
    return {"accounts": msgspec.to_builtins(page.accounts), "next_cursor": page.cursor, "total": page.total}


@accounts.post("/accounts")
@permit(accounts, "accounts.manage")
@accounts.input(schemas.AccountIn)
@accounts.output(schemas.AccountCreatedOut, status_code=201)
@accounts.doc(responses=[409])
def create_account(json_data: Body) -> Body:
    """Make an account

    Without role and password: its owner sets the password by ``link``; a role is proposed by a security administrator.
    """
    guard.fresh()
    with services().database.write() as session:
        made = service.create_account(session, caller(), json_data["name"], json_data["display_name"])
        token = links.create_invitation(session, caller(), made.id, services().policy)
    base = services().settings.public_origin or request.host_url.rstrip("/")
    return {**msgspec.to_builtins(made), "link": f"{base}{url_for('accounts.setup', token=token)}"}


@accounts.get("/accounts/<int:user_id>")
@permit(accounts, "accounts.read")
@accounts.output(schemas.AccountOut)
@accounts.doc(responses=[404])
def get_account(user_id: int) -> Body:
    """Read one account"""
    with services().database.read() as session:
        return msgspec.to_builtins(service.get_user(session, user_id))  # type: ignore[no-any-return]


@accounts.patch("/accounts/<int:user_id>")
@permit(accounts, "accounts.manage")
@accounts.input(schemas.AccountChangeIn)
@accounts.output(schemas.AccountOut)
@accounts.doc(responses=[404, 409])
def switch_account(user_id: int, json_data: Body) -> Body:
    """Switch an account on or off

    Never one's own, and never off the last active one of a power. Its sessions and keys end at once.
    """
    guard.fresh()
    with services().database.write() as session:
        return msgspec.to_builtins(service.set_active(session, caller(), user_id, json_data["active"]))  # type: ignore[no-any-return]


@accounts.delete("/accounts/<int:user_id>")
@permit(accounts, "accounts.manage")
@accounts.output({}, status_code=204)
@accounts.doc(responses=[404, 409])
def remove_account(user_id: int) -> Response:
    """Remove an account for good

    Its name stays taken.
    """
    guard.fresh()
    with services().database.write() as session:
        service.remove(session, caller(), user_id)
    return Response(status=204)


@accounts.post("/accounts/<int:user_id>/proposals")
@permit(accounts, "accounts.read")
@accounts.input(schemas.ProposalIn)
@accounts.output(schemas.ProposalOut, status_code=201)
@accounts.doc(responses=[404, 409])
def propose(user_id: int, json_data: Body) -> Body:
    """Propose a role and scope, or a reset

    A security administrator proposes roles, a system administrator resets (``kind`` password or factors). Nothing changes yet.
    """
    guard.fresh()
    kind, reason = json_data["kind"], json_data["reason"]
    scope = Reach(tuple(json_data["organisations"]), tuple(json_data["zones"]))
    with services().database.write() as session:
        if kind == "role":
            made = proposals.propose_role(
                session, caller(), user_id, json_data["role"], scope=scope, days=json_data["days"], reason=reason
            )
        else:
            made = proposals.propose_reset(session, caller(), user_id, kind, reason=reason)
    return msgspec.to_builtins(made)  # type: ignore[no-any-return]


@accounts.get("/proposals")
@permit(accounts, "accounts.read")
@accounts.input(schemas.ProposalListIn, location="query", unknown=RAISE)
@accounts.output(schemas.ProposalsOut)
def list_proposals(query_data: Body) -> Body:
    """List proposals

    Those that wait, unless ``state`` says otherwise; newest first.
    """
    with services().database.read() as session:
        return {"proposals": msgspec.to_builtins(proposals.list_proposals(session, state=query_data["state"]))}


@accounts.post("/proposals/<int:proposal_id>/confirm")
@permit(accounts, "accounts.confirm")
@accounts.output(schemas.ProposalOut)
@accounts.doc(responses=[404, 409])
def confirm(proposal_id: int) -> Body:
    """Confirm a proposal

    By a second person: not who proposed it, and not the account concerned.
    """
    guard.fresh()
    with services().database.write() as session:
        return msgspec.to_builtins(proposals.confirm(session, caller(), proposal_id, policy=services().policy))  # type: ignore[no-any-return]


@accounts.post("/proposals/<int:proposal_id>/refuse")
@permit(accounts, "accounts.confirm")
@accounts.output(schemas.ProposalOut)
@accounts.doc(responses=[404, 409])
def refuse(proposal_id: int) -> Body:
    """Refuse a proposal, or withdraw one's own"""
    guard.fresh()
    with services().database.write() as session:
        return msgspec.to_builtins(proposals.refuse(session, caller(), proposal_id, policy=services().policy))  # type: ignore[no-any-return]
