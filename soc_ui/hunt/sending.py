"""The hits of a query as a file, for the hunt page and the API: who takes what is written to the audit trail first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, stream_with_context

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.accounts.schema import Principal
from operations.audit import service as audit
from soc_ui import access, times
from soc_ui.hunt.export import FORMATS, MAX_ROWS, export
from soc_ui.searching import sending
from soc_ui.services import services


def as_file(
    who: Principal, text: str, when: TimeRange, form: str, columns: Sequence[str], allowed: Callable[[], bool] | None = None
) -> Response:
    """``form`` is one of FORMATS; ``allowed`` as in access.while_allowed. Raises QueryError, TooManySearches."""
    chunks = export(services().store, parse_query(text), when, form, columns)
    name = f"liandun-events-{times.now():%Y%m%dT%H%M%SZ}.{form}"
    response = Response(content_type=FORMATS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})
    sending(who, stream_with_context(access.while_allowed(chunks, allowed)), response)
    detail = {"query": text, "start": when.start, "end": when.end, "format": form, "limit": MAX_ROWS}
    try:
        with services().database.write() as session:
            audit.append(session, who.actor, "events.export", "events", "", detail=detail)
    except BaseException:
        response.close()
        raise
    return response
