"""Answers that a browser keeps as a file and never shows as a page of ours."""

from __future__ import annotations

from urllib.parse import quote

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from soc_ui.visible import visible


def as_attachment(content: bytes, name: str, kind: str) -> Response:
    """``content`` under ``name``; signs that would turn the name around are made visible, lines become one.

    RFC 6266, 4.3: a header has no Chinese in it, so such a name goes as ``filename*``, beside one that old clients can read.
    """
    headers, shown = Headers(), " ".join(visible(name).splitlines())
    names = {"filename": shown.encode("ascii", "replace").decode().replace("?", "_")}
    if not shown.isascii():
        names["filename*"] = f"UTF-8''{quote(shown, safe='')}"
    headers.set("Content-Disposition", "attachment", **names)
    return Response(content, content_type=kind, headers=headers)
