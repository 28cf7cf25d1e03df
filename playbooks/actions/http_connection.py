"""One HTTP/1.1 exchange with a server, under one deadline, over connections that are kept and used again by the same thread.

A kept connection is used again only while its server has neither closed it nor sent anything. A connection is always to the address
that ``Reach`` allowed. What a server drips cannot hold a worker: a watch shuts the socket when the deadline is over or the
command is called off.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from playbooks.actions.contract import ActionError, Context
from playbooks.actions.destination import Endpoint, Reach

MAX_ANSWER = 1_048_576
"""Octets of an answer that are read; the rest is dropped with the connection."""
_KEPT = 32
_WATCH = 0.1


class Answer(NamedTuple):
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Pinned(http.client.HTTPConnection):
    """A connection to ``address``, whatever the name of the server resolves to by now."""

    def __init__(self, endpoint: Endpoint, address: str, seconds: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(endpoint.host, endpoint.port, timeout=seconds)
        self._address = address
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain


class HttpClient:
    """Exchanges for many threads. ``tls``: trusts what the system trusts unless given."""

    def __init__(self, reach: Reach, tls: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._tls = tls
        self._mine = threading.local()
        self._watched: dict[int, tuple[float, Context, socket.socket]] = {}
        self._watch: threading.Thread | None = None
        self._lock = threading.Lock()

    def exchange(
        self, servers: list[Endpoint], method: str, target: str, headers: list[tuple[str, str]], body: bytes, context: Context
    ) -> Answer:
        """Ask the first of ``servers`` that can be connected to. Raises ActionError; what was sent and
        has no answer may have been done all the same."""
        refused: ActionError | None = None
        for endpoint in servers:
            try:
                connection = self._connected(endpoint, context)
            except ActionError as error:
                refused = refused or error
                continue
            return self._ask(connection, endpoint, method, target, headers, body, context)
        assert refused is not None
        raise refused

    def _connected(self, endpoint: Endpoint, context: Context) -> _Pinned:
        kept: OrderedDict[Endpoint, _Pinned] | None = getattr(self._mine, "kept", None)
        connection = kept.pop(endpoint, None) if kept else None
        if connection is not None:
            if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                connection.sock.settimeout(context.left())
                return connection
            connection.close()
        problem: Exception | None = None
        for address in self._reach.addresses(endpoint):
            connection = _Pinned(endpoint, address, context.left(), self._context(endpoint))
            try:
                connection.connect()
            except (OSError, ValueError) as error:
                problem = error
            else:
                return connection
        context.left()  # says so where the time is over
        raise ActionError(f"{endpoint.netloc} cannot be connected to: {problem}", again=True)

    def _context(self, endpoint: Endpoint) -> ssl.SSLContext | None:
        if endpoint.scheme != "https":
            return None
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls

    def _ask(
        self, connection: _Pinned, endpoint: Endpoint, method: str, target: str, headers: list[tuple[str, str]], body: bytes,
        context: Context,
    ) -> Answer:  # fmt: skip
        assert connection.sock is not None
        watched = self._guarded(connection.sock, context)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            content = response.read(MAX_ANSWER)
            whole = response.isclosed()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            context.left()  # says so where the time is over or the command was called off
            told = str(error) or type(error).__name__
            raise ActionError(f"{endpoint.netloc} did not answer as HTTP servers do: {told}", again=True) from error
        finally:
            self._watched.pop(watched, None)
        if whole and not response.will_close and connection.sock is not None:
            self._keep(endpoint, connection)
        else:
            connection.close()
        return Answer(response.status, response.headers, content)

    def _keep(self, endpoint: Endpoint, connection: _Pinned) -> None:
        kept: OrderedDict[Endpoint, _Pinned] | None = getattr(self._mine, "kept", None)
        if kept is None:
            kept = self._mine.kept = OrderedDict()
        kept[endpoint] = connection
        if len(kept) > _KEPT:
            kept.popitem(last=False)[1].close()

    def _guarded(self, opened: socket.socket, context: Context) -> int:
        if self._watch is None:
            with self._lock:
                if self._watch is None:
                    self._watch = threading.Thread(target=self._watching, name="playbook-http-watch", daemon=True)
                    self._watch.start()
        key = threading.get_ident()
        self._watched[key] = (context.deadline, context, opened)
        return key

    def _watching(self) -> None:
        while True:
            time.sleep(_WATCH)
            present = time.monotonic()
            for deadline, context, opened in list(self._watched.values()):
                if present >= deadline or context.stop.is_set():
                    try:
                        opened.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue  # it is closed already
