"""Whether an interface can be watched: does it exist, is it up, may this account read it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_UP = 0x1  # IFF_UP (linux/if.h)


def interface_problem(name: str) -> str:
    """Why Suricata would see nothing there, "" when it would see packets."""
    known = [interface for _, interface in socket.if_nameindex()]
    if name not in known:
        return f"there is no interface {name} (there are {', '.join(known)})"
    flags = _read(Path("/sys/class/net") / name / "flags")
    if flags and not int(flags, 16) & _UP:
        return f"interface {name} is down: ip link set {name} up"
    return ""


def may_capture(program: str) -> bool:
    """Whether packets may be read: this account may, or the program has file capabilities of its own (setcap). Raises OSError."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0):
            return True
    except PermissionError:
        return bool(program) and "security.capability" in os.listxattr(os.path.realpath(program))


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""  # another network namespace's /sys: nothing is known
