"""Asking a running Suricata through its command socket.

Protocol after the user guide, "Interacting via Unix Socket": one JSON object each way, ended by LF; the first one names
the version.
Suricata parses hostile bytes, so its answers are bounded in size and time and a link in place of the socket is not followed.
"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec

from collectors.suricata.config import SOCKET
from kernel.errors import LiandunError

_VERSION = {"version": "0.2"}
_LONGEST_ANSWER = 64 << 20
_SECONDS = 10.0


class ControlError(LiandunError):
    """Suricata did not answer, or refused the command."""


def ask(folder: Path, command: str, seconds: float = _SECONDS) -> Any:
    """What Suricata answers to a command without arguments, e.g. ``uptime``.

    folder   the log folder, where the socket lies
    seconds  how long one step may take

    Raises ControlError.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ControlError(f"{folder}: {error.strerror}") from error
    try:
        if not stat.S_ISSOCK(os.stat(SOCKET, dir_fd=descriptor, follow_symlinks=False).st_mode):
            raise ControlError(f"{folder / SOCKET} is not a socket")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")  # short, however deep the folder lies
            _exchange(connection, _VERSION)
            return _exchange(connection, {"command": command})
    except (OSError, msgspec.DecodeError) as error:
        raise ControlError(f"Suricata does not answer to {command}: {error}") from error
    finally:
        os.close(descriptor)


def _exchange(connection: socket.socket, request: dict[str, str]) -> Any:
    connection.sendall(msgspec.json.encode(request) + b"\n")
    answer = bytearray()
    while not answer.endswith(b"\n"):
        chunk = connection.recv(1 << 16)
        if not chunk or len(answer) > _LONGEST_ANSWER:
            raise ControlError(f"Suricata broke off its answer to {request}")
        answer += chunk
    found = msgspec.json.decode(bytes(answer))
    if not isinstance(found, dict) or found.get("return") != "OK":
        raise ControlError(f"Suricata refuses {request}: {found.get('message') if isinstance(found, dict) else found}")
    return found.get("message")
