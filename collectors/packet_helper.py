"""Slicing and dissecting in a process of their own, with limits of time and memory: the console hands over what it wants and waits.

A slice is made by this code only, with the rights of the platform, since nobody else may read its captures. A dissection is made by
tshark, so the process gives up root first, may write no file, and gets the packets as an open descriptor.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from collectors import packet_dissection
from collectors.packet_dissection import Layer, Table
from collectors.packet_slice import CapturePlace, Conversation, FileTimes, Slice, SliceLimits, Span, slice_packets
from kernel.errors import LiandunError, StoreError

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT = "nobody"
MEMORY = 1 << 30
SECONDS = 30.0
STANDARD_INPUT = Path("/proc/self/fd/0")
_GRACE = 5.0
_REFUSED = b"\xc1"  # never used in MessagePack
_SET_DUMPABLE = 4  # prctl(2)
T = TypeVar("T")


class _SliceRequest(msgspec.Struct):
    places: list[CapturePlace]
    conversation: Conversation
    span: Span
    limits: SliceLimits
    known: FileTimes


class HelperFailed(StoreError):
    """The helper did not come to an end: out of time or memory, or it broke. ``late``: out of time.

    A StoreError, since those who ask are told the same: not now, try again.
    """

    def __init__(self, message: str, hint: str = "", *, late: bool = False) -> None:
        super().__init__(message, hint)
        self.late = late


def slice_apart(
    places: Sequence[CapturePlace],
    conversation: Conversation,
    span: Span,
    limits: SliceLimits | None = None,
    known: FileTimes | None = None,
) -> Slice:
    """:func:`collectors.packet_slice.slice_packets` in a process of its own. Raises HelperFailed, ParseError."""
    bounds = limits or SliceLimits()
    request = msgspec.msgpack.encode(_SliceRequest(list(places), conversation, span, bounds, known or {}))
    return _ask(["slice"], request, Slice, bounds.seconds + _GRACE)


def table_apart(pcap: bytes, *, most: int = packet_dissection.MOST_PACKETS, seconds: float = SECONDS) -> Table:
    """:func:`collectors.packet_dissection.table` of these octets. Raises HelperFailed, TsharkMissing."""
    packet_dissection.tshark()
    return _ask(["table", str(most), f"{seconds:.3f}"], pcap, Table, seconds + _GRACE)


def layers_apart(pcap: bytes, number: int, *, seconds: float = SECONDS) -> list[Layer]:
    """:func:`collectors.packet_dissection.layers` of these octets. Raises HelperFailed, TsharkMissing."""
    packet_dissection.tshark()
    return _ask(["layers", str(number)], pcap, list[Layer], seconds)


def _ask(what: list[str], given: bytes, kind: type[T], seconds: float) -> T:
    """``given`` is the helper's standard input: memory without a name that its tshark reads again as a file."""
    command = [*_limiter(seconds), sys.executable, "-B", "-m", "collectors.packet_helper", *what]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    with os.fdopen(os.memfd_create("packets"), "w+b") as held:
        held.write(given)
        held.seek(0)
        process = subprocess.Popen(
            command, stdin=held, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env=environment, start_new_session=True
        )
    try:
        answer, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise HelperFailed(f"the packets took more than {seconds:.0f} s", late=True) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its tshark too
        process.communicate()
    if process.returncode or not answer:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"status {process.returncode}"]
        raise HelperFailed(f"the packets could not be read: {last[0][:300]}", late=process.returncode == -signal.SIGXCPU)
    if answer[:1] == _REFUSED:
        raise HelperFailed(answer[1:].decode("utf-8", "replace")[:300])
    return msgspec.msgpack.decode(answer, type=kind)


def _limiter(seconds: float) -> list[str]:
    """Kernel limits, and an end with ours (preexec_fn is not safe in a process with threads)."""
    prefix: list[str] = []
    if program := shutil.which("prlimit"):
        prefix += [program, f"--as={MEMORY}", f"--cpu={int(seconds) + 1}", "--core=0", "--fsize=0", "--"]
    if program := shutil.which("setpriv"):
        prefix += [program, "--pdeathsig", "KILL", "--no-new-privs", "--"]
    return prefix


def _give_up_root() -> None:
    """Become ``nobody`` where we are root: what follows parses hostile octets."""
    if os.geteuid() != 0:
        return
    account = pwd.getpwnam(ACCOUNT)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 1, 0, 0, 0)  # else our own /proc/self/fd would be closed to us


def _answer(what: str, arguments: list[str]) -> Any:
    if what == "slice":
        request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_SliceRequest)
        return slice_packets(request.places, request.conversation, request.span, request.limits, request.known)
    if what == "layers":
        packet_dissection.load()
    _give_up_root()
    if what == "layers":
        return packet_dissection.layers(STANDARD_INPUT, int(arguments[0]))
    return packet_dissection.table(STANDARD_INPUT, most=int(arguments[0]), seconds=float(arguments[1]))


def main() -> int:
    """Answer what the command line asks for, in MessagePack; a refusal begins with an octet that no answer begins with."""
    try:
        answer = msgspec.msgpack.encode(_answer(sys.argv[1], sys.argv[2:]))
    except LiandunError as error:
        answer = _REFUSED + error.message.encode("utf-8", "replace")
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
