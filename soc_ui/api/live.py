"""``/api/v1/live``: what changes, as server-sent events, for programs."""

from __future__ import annotations

from functools import partial

from apiflask import APIBlueprint
from flask import Response, request

from operations.accounts.keys import principal_of_key
from operations.accounts.sessions import SESSION_COOKIE, principal_of
from soc_ui.api.guard import SECURITY, caller
from soc_ui.live.views import open_stream
from soc_ui.services import services, whole_services

live = APIBlueprint("api_live", __name__, url_prefix="/api/v1/live", tag="live")


@live.get("")
@live.doc(security=SECURITY, responses={200: {"description": "text/event-stream", "content": {"text/event-stream": {}}}})
def stream() -> Response:
    """Watch changes

    Server-sent events ``alert``, ``incident``, ``warning``, ``ticket`` with ``id`` (0: many), ``act``, ``level`` and ``status`` (of
    a new alert) and ``count``, those that the caller may see. ``Last-Event-ID`` (or ``after``) replays what was missed; ``reset``
    says that it was too much: read the lists again.
    """
    who, policy, address = caller(), services().policy, request.remote_addr or ""
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if token:
        return open_stream(who, partial(principal_of_key, whole_services().database, token, address, active=False, policy=policy))
    cookie = request.cookies.get(SESSION_COOKIE, "")
    return open_stream(who, partial(principal_of, whole_services().database, cookie, address, active=False, policy=policy))
