"""``/api/v1/live``: what changes, as server-sent events, for programs."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from soc_ui.api.guard import SECURITY, asked_again, caller
from soc_ui.live.views import open_stream

live = APIBlueprint("api_live", __name__, url_prefix="/api/v1/live", tag="live")


@live.get("")
@live.doc(security=SECURITY, responses={200: {"description": "text/event-stream", "content": {"text/event-stream": {}}}})
def stream() -> Response:
    """Watch changes

    Server-sent events ``alert``, ``incident``, ``warning``, ``ticket`` with ``id`` (0: many), ``act``, ``level`` and ``status`` (of
    a new alert) and ``count``, those that the caller may see. ``Last-Event-ID`` (or ``after``) replays what was missed; ``reset``
    says that it was too much: read the lists again.
    """
    return open_stream(caller(), asked_again())
