"""gunicorn with a way out for connections that stay: an answer's socket is handed to a thread of ours that owns many of them.

A gthread worker keeps one thread for an answer until it is complete, and closes gracefully, which shuts the connection down for
every duplicate of its socket. Here the application is wrapped: it may take the socket of a request (soc_ui.live.handover); then
nothing is written by gunicorn, and the worker only closes its own descriptor.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any
from weakref import WeakSet

from gunicorn.workers.gthread import TConn, ThreadWorker

from soc_ui.live.handover import KEY, Taker

_handed: WeakSet[socket.socket] = WeakSet()
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker that forgets a connection whose socket was handed over."""

    def finish_request(self, conn: TConn, fs: Any) -> None:
        if conn.sock not in _handed:
            super().finish_request(conn, fs)
            return
        self.nr_conns -= 1
        conn.sock.close()  # our descriptor only; the connection lives on in the duplicate


class HandingOver:
    """The application with ``KEY`` in the environment of each plain GET."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        sock = environ.get("gunicorn.socket")
        plain = environ.get("SERVER_PROTOCOL") == "HTTP/1.1" and environ.get("REQUEST_METHOD") == "GET"
        if not isinstance(sock, socket.socket) or not plain:
            return self._application(environ, start_response)
        takers: list[Taker] = []
        heads: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            heads.append(_head(status, headers))
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        environ[KEY] = takers.append
        answer = self._application(environ, start)
        if not takers or not heads[-1].startswith(b"HTTP/1.1 200 "):
            return answer
        try:
            takers[-1](socket.socket(fileno=os.dup(sock.fileno())), heads[-1])
            _handed.add(sock)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        # gunicorn takes this for a client that went away: it writes nothing and ends the request
        raise BrokenPipeError(errno.EPIPE, "handed over")


def _head(status: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in ("content-length", "connection", "date")]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
