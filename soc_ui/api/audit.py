"""``/api/v1/audit``: the audit trail."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.audit import service
from soc_ui.api import schemas
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
@audit.output(schemas.VerificationOut)
def verify() -> Body:
    """Verify the chain of the audit trail

    Names the first row that does not fit.
    """
    with services().database.read() as session:
        found = service.verify(session)
    return {"ok": found.ok, **msgspec.to_builtins(found)}
