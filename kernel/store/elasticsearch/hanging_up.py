"""Connections that are given up while the server still thinks, where nobody waits for its answer (kernel.store.stopping).

Elasticsearch ends a search whose connection is closed; this needs no privilege, unlike its task API.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from kernel.store.stopping import calling


class Node(Urllib3HttpNode):
    """One node of the cluster, asked over such connections."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.ConnectionCls = _Https if config.scheme == "https" else _Http


class _Http(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        with calling(lambda: _hang_up(self)):
            return super().getresponse()


class _Https(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        with calling(lambda: _hang_up(self)):
            return super().getresponse()


def _hang_up(connection: Any) -> None:
    if connection.sock is not None:
        with suppress(OSError):  # the server was faster
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # what an SSLSocket does first would trouble its reader
