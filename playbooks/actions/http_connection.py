"""One HTTP/1.1 exchange with a server, under one deadline, over connections that are kept and used again by the same thread.

A kept connection is used again only while its server has neither closed it nor sent anything. A connection is always to the address
that ``Reach`` allowed. The deadline is that of the whole exchange: a server that drips an octet now and then cannot hold a
worker, and a command that is called off ends within a quarter of a second.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections import OrderedDict
from typing import NamedTuple

import h11

from playbooks.actions.contract import ActionError, Context
from playbooks.actions.destination import Endpoint, Reach
from playbooks.actions.http_answer import Answer, Exchanges

_KEPT = 32
_SLICE = 0.25
"""Seconds after which a waiting exchange looks whether it was called off."""


class _Line(NamedTuple):
    """A connection and what was spoken on it."""

    socket: socket.socket
    exchanges: Exchanges


class HttpClient:
    """Exchanges for many threads. ``tls``: trusts what the system trusts unless given."""

    def __init__(self, reach: Reach, tls: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._tls = tls
        self._mine = threading.local()
        self._lock = threading.Lock()

    def exchange(
        self, servers: list[Endpoint], method: str, target: str, headers: list[tuple[str, str]], body: bytes, context: Context
    ) -> Answer:
        """Ask the first of ``servers`` that can be connected to. Raises ActionError; what was sent and has no answer may have been
        done all the same.
        """
        refused: ActionError | None = None
        for endpoint in servers:
            try:
                line = self._connected(endpoint, context)
            except ActionError as error:
                refused = refused or error
                continue
            try:
                message = line.exchanges.request(method, target, headers, body)
            except h11.LocalProtocolError as error:
                line.socket.close()
                raise ActionError(str(error), code="COMMAND_WRONG") from error
            return self._ask(line, endpoint, message, context)
        assert refused is not None
        raise refused

    def _connected(self, endpoint: Endpoint, context: Context) -> _Line:
        kept: OrderedDict[Endpoint, _Line] | None = getattr(self._mine, "kept", None)
        line = kept.pop(endpoint, None) if kept else None
        if line is not None:
            if not select.select([line.socket], [], [], 0)[0]:
                return line
            line.socket.close()
        problem: Exception | None = None
        for address in self._reach.addresses(endpoint):
            try:
                return _Line(self._connect(endpoint, address, context.left()), Exchanges())
            except (OSError, ValueError) as error:
                problem = error
        context.left()  # says so where the time is over
        raise ActionError(f"{endpoint.netloc} cannot be connected to: {problem}", again=True)

    def _connect(self, endpoint: Endpoint, address: str, seconds: float) -> socket.socket:
        plain = socket.create_connection((address, endpoint.port), seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._context().wrap_socket(plain, server_hostname=endpoint.host) if endpoint.scheme == "https" else plain
        except BaseException:
            plain.close()
            raise

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            return self._tls

    def _ask(self, line: _Line, endpoint: Endpoint, message: bytes, context: Context) -> Answer:
        connection, answer = line.socket, None
        try:
            connection.settimeout(context.left())
            connection.sendall(message)
            while answer is None:
                answer = line.exchanges.take(self._received(connection, context))
        except (OSError, h11.RemoteProtocolError) as error:
            connection.close()
            context.left()  # says so where the time is over
            told = str(error) or type(error).__name__
            raise ActionError(f"{endpoint.netloc} did not answer as it should: {told}", again=True) from error
        except ActionError:
            connection.close()
            raise
        if line.exchanges.ready_again():
            self._keep(endpoint, line)
        else:
            connection.close()
        return answer

    @staticmethod
    def _received(connection: socket.socket, context: Context) -> bytes:
        while True:
            connection.settimeout(min(context.left(), _SLICE))
            try:
                return connection.recv(65_536)
            except TimeoutError:
                continue  # looks whether there is time left, and whether it was called off

    def _keep(self, endpoint: Endpoint, line: _Line) -> None:
        kept: OrderedDict[Endpoint, _Line] | None = getattr(self._mine, "kept", None)
        if kept is None:
            kept = self._mine.kept = OrderedDict()
        kept[endpoint] = line
        if len(kept) > _KEPT:
            kept.popitem(last=False)[1].socket.close()
