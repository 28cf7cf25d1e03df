"""How much a request may carry: little, except where a file is expected, and there only from somebody who is signed in.

Flask reads a body when the view, or the check of its CSRF token, first asks for it; both come after the check of the session or key
(soc_ui.access, soc_ui.api.guard), so what is allowed here can be sent by nobody else.
"""

from __future__ import annotations

from flask import Flask, request

from compliance.documents.media import MOST_BYTES
from compliance.probing import bringing

_AROUND = 64 * 1024
"""The other fields of the form and its boundaries."""
LARGER: dict[str, int] = {
    "compliance_editions.add": MOST_BYTES + _AROUND,
    "api_compliance_documents.add_edition": MOST_BYTES + _AROUND,
    "api_compliance_targets.bring_file": bringing.MOST_BYTES + _AROUND,
}
"""Endpoint → octets of its body."""


def install(app: Flask) -> None:
    """Sets the limit of each request; before anything reads its body."""

    @app.before_request
    def allow() -> None:
        if request.endpoint in LARGER:
            request.max_content_length = LARGER[request.endpoint]
