"""Answers that a browser keeps as a file and never shows as a page of ours."""

from __future__ import annotations

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from soc_ui.visible import visible


def as_attachment(content: bytes, name: str, kind: str) -> Response:
    """``content`` under ``name`` (RFC 6266); signs that would turn the name around are made visible."""
    headers = Headers()
    headers.set("Content-Disposition", "attachment", filename=visible(name))
    return Response(content, content_type=kind, headers=headers)
