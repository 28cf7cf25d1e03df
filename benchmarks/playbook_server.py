"""An HTTP server that costs as little as possible: it answers 200 to every request and counts them. In a process of its own."""

from __future__ import annotations

import asyncio
from typing import Any

_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class _Target(asyncio.Protocol):
    def __init__(self, counter: Any) -> None:
        self._counter = counter
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._counter.value += 1
            self._transport.write(_ANSWER)  # type: ignore[attr-defined]


async def _serve(port: Any, counter: Any) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Target(counter), "127.0.0.1", 0)
    port.value = server.sockets[0].getsockname()[1]
    await server.serve_forever()


def serving(port: Any, counter: Any) -> None:
    """Serve until killed; writes the port into ``port`` and counts requests in ``counter``."""
    asyncio.run(_serve(port, counter))
