"""Whether something keeps the system clock right: the kernel's own word (adjtimex(2)), no server is asked."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys

import msgspec

_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of <sys/timex.h>
_MICROSECONDS = 1_000_000


class _Timex(ctypes.Structure):
    """``struct timex`` up to ``maxerror`` … ``status``; the rest is padding that the kernel fills."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class ClockState(msgspec.Struct, frozen=True):
    """``synchronised`` by NTP or PTP; ``error_seconds`` how far off it can be at most."""

    synchronised: bool
    error_seconds: float


def clock_state() -> ClockState | None:
    """None where the kernel does not say (no Linux, or it is forbidden)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        adjtimex = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    told = _Timex()  # modes = 0: reads only
    if adjtimex(ctypes.byref(told)) < 0:
        return None
    return ClockState(not told.status & _UNSYNCHRONISED, told.maxerror / _MICROSECONDS)
