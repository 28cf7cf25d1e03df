"""How a sensor is: Suricata's own statistics (``stats.json``) and the interface's, as the counters people see.

Names of the statistics after the user guide 7.0, "Statistics". Suricata counts from its start; we count on over its restarts.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

_SUMS: dict[str, tuple[str, ...]] = {
    # ours → statistics that add up to it
    "packets": ("capture.kernel_packets",),
    "dropped": ("capture.kernel_drops",),
    "decoder_errors": ("decoder.invalid",),
    "memcap_hits": (
        *("tcp.ssn_memcap_drop", "tcp.segment_memcap_drop", "tcp.insert_data_normal_fail", "flow.memcap", "http.memcap"),
        *("ftp.memcap", "defrag.max_frag_hits", "app_layer.expectations_memcap"),
    ),
    "flows": ("flow.total",),
    "reassembly_gaps": ("tcp.reassembly_gap",),
    "alerts": ("detect.alert",),
    "alerts_suppressed": ("detect.alerts_suppressed", "detect.alert_queue_overflow"),
}
COUNTERS = (*_SUMS, "interface_dropped", "rules_loaded", "rules_failed", "last_reload", "uptime", "capture_lag")
"""What :meth:`SensorStatistics.read` sets. Packets, alerts, … are numbers of things; ``uptime`` and ``capture_lag`` are seconds,
``last_reload`` is seconds since the epoch."""

_NOT_OF_PACKETS = (b'"event_type":"flow"', b'"event_type":"netflow"', b'"event_type":"stats"', b"(flow timeout)")


class SensorStatistics:
    """Reads the statistics of one sensor; ``log_dir`` is where Suricata writes."""

    def __init__(self, interface: str, log_dir: Path) -> None:
        self._interface = interface
        self._log = log_dir
        self._before: dict[str, int] = {}  # of earlier runs of Suricata
        self._last: dict[str, int] = {}
        self._interface_start = _interface_drops(interface)

    def read(self, counters: dict[str, Any]) -> None:
        """Bring ``counters`` up to date; what Suricata has not told yet stays as it is."""
        counters["interface_dropped"] = max(0, _interface_drops(self._interface) - self._interface_start)
        counters["capture_lag"] = _lag(self._log / "eve.json")
        stats = last_object(self._log / "stats.json").get("stats")
        if not isinstance(stats, dict):
            return
        self._sum_up(stats, counters)
        uptime = stats.get("uptime")
        counters["uptime"] = uptime if isinstance(uptime, int) else 0
        engines = _at(stats, "detect.engines")
        engine = engines[0] if isinstance(engines, list) and engines and isinstance(engines[0], dict) else {}
        for ours, theirs in (("rules_loaded", "rules_loaded"), ("rules_failed", "rules_failed")):
            counters[ours] = engine.get(theirs) if isinstance(engine.get(theirs), int) else 0
        counters["last_reload"] = _epoch(engine.get("last_reload"))

    def _sum_up(self, stats: Mapping[str, Any], counters: dict[str, Any]) -> None:
        now = {ours: sum(_number(stats, name) for name in names) for ours, names in _SUMS.items()}
        now["uptime"] = _number(stats, "uptime")
        if now["uptime"] < self._last.get("uptime", 0):  # a new Suricata: it began at nought
            for ours in _SUMS:
                self._before[ours] = self._before.get(ours, 0) + self._last.get(ours, 0)
        self._last = now
        for ours in _SUMS:
            counters[ours] = self._before.get(ours, 0) + now[ours]


def last_object(path: Path) -> dict[str, Any]:
    """The last whole JSON line of a growing file, {} when there is none."""
    lines = _last_lines(path)
    try:
        found = msgspec.json.decode(lines[-1]) if lines else {}
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_lines(path: Path) -> list[bytes]:
    if path.is_symlink():
        return []
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - (1 << 17)))
            return file.read().split(b"\n")[:-1]
    except OSError:
        return []


def _lag(eve: Path) -> float:
    """Seconds from a packet to the line in eve.json that it caused, of the last line; 0 where a timer caused that one."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        written, lines = eve.lstat().st_mtime, _last_lines(eve)
        if lines and not any(mark in lines[-1] for mark in _NOT_OF_PACKETS):
            event = msgspec.json.decode(lines[-1])
            seen = _epoch(event.get("timestamp")) if isinstance(event, dict) else 0.0
            return round(max(0.0, written - seen), 1) if seen else 0.0
    return 0.0


def _epoch(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _at(stats: Mapping[str, Any], name: str) -> Any:
    found: Any = stats
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _number(stats: Mapping[str, Any], name: str) -> int:
    found = _at(stats, name)
    return found if isinstance(found, int) else 0


def _interface_drops(interface: str) -> int:
    """Packets that the interface or its driver dropped (``drop`` and ``fifo`` of /proc/net/dev), before any capture saw them."""
    try:
        lines = Path("/proc/net/dev").read_text("ascii").splitlines()
    except OSError:
        return 0
    for line in lines:
        name, _, numbers = line.partition(":")
        if name.strip() == interface:
            columns = numbers.split()
            return int(columns[3]) + int(columns[4])
    return 0
