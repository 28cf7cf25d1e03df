"""What is in the packets of a slice: a table by tshark, and all layers of one packet by pyshark, both in JSON mode.

tshark's dissectors are the work of hundreds and hang or fall over hostile packets, so this runs in a process of its own with limits
(collectors/packet_helper.py) and never in the console. Names are not resolved (``-n``), no file is written, no settings of any
user are read. pyshark 0.6: ``only_summaries`` is broken with tshark 4, hence the table comes from tshark directly; its event
loop is handed in, because what it makes itself needs parts of asyncio that later Pythons have not.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kernel.errors import LiandunError

MOST_PACKETS = 2000
"""Rows of the table, and how far a packet whose layers are asked for may stand."""

MOST_LINES = 3000
"""Fields that are shown of one packet."""

LONGEST_TEXT = 1000
_LONGEST_LINE = 1 << 20
_STATUS_LOST = 255
"""What asyncio gives for a child that another has waited for (tshark itself ends with 0 to 4)."""

_ASKED = {
    # column → fields of tshark, of which the first that is told counts; the names of its own columns differ by version
    "time": ("frame.time_epoch",),
    "source": ("ip.src", "ipv6.src", "eth.src"),
    "target": ("ip.dst", "ipv6.dst", "eth.dst"),
    "source_port": ("tcp.srcport", "udp.srcport", "sctp.srcport"),
    "target_port": ("tcp.dstport", "udp.dstport", "sctp.dstport"),
    "protocol": ("_ws.col.Protocol", "_ws.col.protocol"),
    "info": ("_ws.col.Info", "_ws.col.info"),
    "length": ("frame.len",),
}


class TsharkMissing(LiandunError):
    """tshark is not installed here."""


class DissectedPacket(msgspec.Struct):
    """One row. ``number`` from 1; ``time`` seconds since the epoch as tshark writes them; texts are hostile and cut."""

    number: int
    time: str = ""
    source: str = ""
    target: str = ""
    source_port: str = ""
    target_port: str = ""
    protocol: str = ""
    info: str = ""
    length: str = ""


class Table(msgspec.Struct):
    """``cut``: why there are fewer rows than packets: "packets", "seconds", "tshark" (it ended early), "" = there are all."""

    rows: list[DissectedPacket] = []
    cut: str = ""


class LayerField(msgspec.Struct):
    """One field; ``depth`` 0 = of the layer itself."""

    depth: int
    name: str
    value: str


class Layer(msgspec.Struct):
    name: str
    fields: list[LayerField]
    cut: bool = False


def tshark() -> str:
    """Its path. Raises TsharkMissing."""
    found = shutil.which("tshark")
    if found is None:
        raise TsharkMissing("tshark is not installed on this machine", "apt install tshark")
    return found


def table(capture: Path, *, most: int = MOST_PACKETS, seconds: float = 20.0) -> Table:
    """The first ``most`` packets. What was dissected when the time is over is kept."""
    command = [tshark(), "-l", "-n", "-T", "ek", "-c", str(most + 1), "-r", str(capture)]
    command += [word for fields in _ASKED.values() for field in fields for word in ("-e", field)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    late = threading.Timer(seconds, process.kill)
    late.start()
    found = Table()
    try:
        assert process.stdout is not None
        while line := process.stdout.readline(_LONGEST_LINE):
            if (row := _row(line, len(found.rows) + 1)) is not None:
                found.rows.append(row)
        process.wait()
    finally:
        late.cancel()
        process.kill()
        process.wait()
    if len(found.rows) > most:
        found.rows, found.cut = found.rows[:most], "packets"
    elif process.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        found.cut = "seconds"
    elif process.returncode:
        found.cut = "tshark"
    return found


def _row(line: bytes, number: int) -> DissectedPacket | None:
    try:
        told = msgspec.json.decode(line.decode("utf-8", "replace").encode())
    except (msgspec.DecodeError, RecursionError):
        return None
    layers = told.get("layers") if isinstance(told, dict) else None
    if not isinstance(layers, dict):
        return None
    return DissectedPacket(number, **{name: _first(layers, fields) for name, fields in _ASKED.items()})


def _first(layers: dict[str, Any], fields: tuple[str, ...]) -> str:
    for field in fields:
        found = layers.get(field.replace(".", "_"))
        if isinstance(found, list) and found and found[0]:
            return str(found[0])[:LONGEST_TEXT]
    return ""


def load() -> tuple[Any, type[Exception]]:
    """pyshark's FileCapture and its error of a broken tshark; loaded here only, since it takes a while and few need it."""
    from pyshark import FileCapture
    from pyshark.capture.capture import TSharkCrashException

    return FileCapture, TSharkCrashException


def layers(capture: Path, number: int) -> list[Layer]:
    """All layers of packet ``number`` (from 1); those before it are read for what they say of it. Empty where there is none."""
    (file_capture, crash), path = load(), tshark()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # pyshark starts tasks without saying where
    packets = file_capture(
        str(capture),
        display_filter=f"frame.number == {int(number)}",
        use_json=True,
        keep_packets=False,
        eventloop=loop,
        tshark_path=path,
        custom_parameters=["-c", str(int(number))],
    )
    found: list[Layer] = []
    try:
        for packet in packets:
            found = [_layer(one) for one in (packet.frame_info, *packet.layers)]
            break
    finally:
        # pyshark ends tshark twice. The first time polls it, which on a busy machine takes its status away from asyncio; the second
        # time then believes that it crashed. Once the packet is read, how tshark ended says nothing either.
        try:
            packets.close()
        except crash as error:
            if not found and f"(retcode: {_STATUS_LOST})" not in str(error):
                raise
    return found


def _layer(layer: Any) -> Layer:
    found: list[LayerField] = []
    for copy in (layer, *layer.duplicate_layers):
        value = copy._all_fields or copy.value  # in the order of the packet, which pyshark's field_names have lost
        for field in _fields(value, 0):
            if len(found) >= MOST_LINES:
                return Layer(str(layer.layer_name), found, True)
            found.append(field)
    return Layer(str(layer.layer_name), found)


def _fields(value: Any, depth: int) -> Iterator[LayerField]:
    """Lines of a tree of dicts and lists, as deep as they are. Not recursive: hostile packets nest deeply."""
    waiting: list[tuple[int, str, Any]] = [(depth, "", value)]
    while waiting:
        level, name, one = waiting.pop()
        if isinstance(one, dict):
            if name:
                yield LayerField(level, name[:LONGEST_TEXT], "")
            inner = level + bool(name)
            waiting += [(inner, str(key), below) for key, below in reversed(one.items())]
        elif isinstance(one, list):
            waiting += [(level, name, below) for below in reversed(one)]
        else:
            yield LayerField(level, name[:LONGEST_TEXT], str(one)[:LONGEST_TEXT])
