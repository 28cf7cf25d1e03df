"""How an answer leaves the server's threads: its socket goes to the hub, and the server forgets the connection.

The server puts a function under ``KEY`` into the WSGI environment (cli.roles.handing_over). A view calls it with what shall take
the socket; when the view's response is complete, its head is made into bytes and handed over together with the socket. Under a
server that cannot do this the key is missing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from flask import request

KEY = "liandun.hand_over"

Taker = Callable[[socket.socket, bytes], None]
"""Takes the socket and the answer's head (status line and fields)."""


def hand_over() -> Callable[[Taker], None] | None:
    """The server's function, None where it has none."""
    found: Callable[[Taker], None] | None = request.environ.get(KEY)
    return found
