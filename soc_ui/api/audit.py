"""``/api/v1/audit``: the audit trail."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE
from sqlalchemy.orm import Session

from operations.audit import service, tree
from operations.audit.copies import copies
from operations.audit.heads import log_id, stored_heads, stored_keys
from operations.audit.verify import head_before, verify
from soc_ui.api import audit_schemas as schemas
from soc_ui.api.guard import permit
from soc_ui.services import services

audit = APIBlueprint("api_audit", __name__, url_prefix="/api/v1/audit", tag="audit")
Body = dict[str, Any]


@audit.get("")
@permit(audit, "audit.read")
@audit.input(schemas.AuditListIn, location="query", unknown=RAISE)
@audit.output(schemas.AuditPageOut)
def list_entries(query_data: Body) -> Body:
    """List audit entries

    Newest first.
    """
    with services().database.read() as session:
        page = service.listing(session, **query_data)
    return {"entries": msgspec.to_builtins(page.entries), "next_cursor": page.cursor}


@audit.get("/verification")
@permit(audit, "audit.verify")
@audit.input(schemas.VerifyIn, location="query", unknown=RAISE)
@audit.output(schemas.VerificationOut)
def verify_trail(query_data: Body) -> Body:
    """Verify the audit trail

    Entries, tree, keys and signed heads; names the first entry that does not fit.
    """
    trail = services().trail
    with services().database.read() as session:
        since = head_before(session, size=query_data["since"]) if query_data["since"] else None
        found = verify(session, head_file=trail.head_file.read() if trail else None, since=since)
    return {"ok": found.ok, **msgspec.structs.asdict(found)}


@audit.get("/heads")
@permit(audit, "audit.read")
@audit.input(schemas.HeadsIn, location="query", unknown=RAISE)
@audit.output(schemas.HeadsOut)
def list_heads(query_data: Body) -> Body:
    """List signed tree heads

    The newest ones, oldest first; the public keys; how far copies outside of the database have got.
    """
    with services().database.read() as session:
        keys = stored_keys(session)
        heads = stored_heads(session, log_id(keys), newest=query_data["limit"])
        found = {"tree": tree.state(session), "heads": heads, "keys": keys, "copies": copies(session)}
    return {name: msgspec.to_builtins(value) for name, value in found.items()}


@audit.get("/<int:entry_id>/inclusion")
@permit(audit, "audit.read")
@audit.input(schemas.InclusionIn, location="query", unknown=RAISE)
@audit.output(schemas.InclusionOut)
def prove_inclusion(entry_id: int, query_data: Body) -> Body:
    """Prove that an entry is in the tree

    RFC 9162 2.1.3 with SM3. The answer, saved as a file, verifies with verify.py --proof of an exported bundle.
    """
    with services().database.read() as session:
        keys = stored_keys(session)
        size = query_data.get("size") or _signed_size(session, log_id(keys), entry_id)
        proof = tree.prove_inclusion(session, entry_id, size)
        head = next(iter(stored_heads(session, log_id(keys), size=proof.size)), None)
    return {
        **msgspec.to_builtins(proof),
        "head": None if head is None else msgspec.to_builtins(head),
        "keys": msgspec.to_builtins(keys),
    }


@audit.get("/consistency")
@permit(audit, "audit.read")
@audit.input(schemas.ConsistencyIn, location="query", unknown=RAISE)
@audit.output(schemas.ConsistencyOut)
def prove_consistency(query_data: Body) -> Body:
    """Prove that an earlier tree is the beginning of a later one

    RFC 9162 2.1.4 with SM3.
    """
    with services().database.read() as session:
        return cast(Body, msgspec.to_builtins(tree.prove_consistency(session, query_data["first"], query_data.get("second"))))


def _signed_size(session: Session, log: str, entry_id: int) -> int | None:
    """The size of the last signed head, if that covers the entry; else None (the tree as it is)."""
    newest = stored_heads(session, log, newest=1)
    return newest[0].size if newest and newest[0].size >= entry_id else None
