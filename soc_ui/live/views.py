"""``GET /live``: what changes, as server-sent events, for the pages of one browser."""

from __future__ import annotations

import socket
from functools import partial

from flask import Blueprint, Flask, Response, abort, current_app, request

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.accounts.sessions import SESSION_COOKIE, principal_of
from operations.changes.feed import parse_mark
from soc_ui import access
from soc_ui.live.handover import hand_over
from soc_ui.live.hub import Full, Hub, Recheck
from soc_ui.services import services, whole_services

live = Blueprint("live", __name__)


def install(app: Flask, database: Database) -> None:
    """One hub an application; it sleeps until the first stream comes."""
    app.extensions["liandun_live"] = Hub(database)


def hub() -> Hub:
    """The hub of this application."""
    found = current_app.extensions["liandun_live"]
    assert isinstance(found, Hub)
    return found


@live.get("/live")
def stream() -> Response:
    """New alerts and acts on alerts, incidents, warnings and tickets that one may see.

    ``Last-Event-ID`` replays what was missed. It does not keep an unattended session alive, and ends with it.
    """
    token, address, policy = request.cookies.get(SESSION_COOKIE, ""), access.address(), services().policy
    return open_stream(access.me(), partial(principal_of, whole_services().database, token, address, active=False, policy=policy))


def open_stream(who: Principal, again: Recheck) -> Response:
    """The answer whose socket goes to the hub; ``again`` says who it is later.

    429 or 503 where this account or the console has too many streams. Under a server that keeps its sockets 204, which tells a
    browser that there is nothing to come back for.
    """
    take, streams = hand_over(), hub()
    if take is None:
        return Response(status=204)
    try:
        streams.reserve(who)
    except Full as full:
        abort(429 if full.own else 503)
    mark = parse_mark(request.headers.get("Last-Event-ID", "") or request.args.get("after", ""))

    gone: list[bool] = []

    def taken(sock: socket.socket, head: bytes) -> None:
        streams.add(sock, head, who, again, mark)
        gone.append(True)

    take(taken)
    response = Response(status=200, content_type="text/event-stream; charset=utf-8")
    response.call_on_close(lambda: None if gone else streams.release(who))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx: send on at once
    return response
