"""Packets per second through Suricata → eve.json → parser → store, against Suricata alone.

    python -m benchmarks.suricata CAPTURE … [--copies 8] [--rules FILE …] [--repeat 3]

The floor is Suricata reading the same capture with our protocols but no output and no rules; everything that follows is divided by
it. Each step is the median of ``--repeat`` runs, the start of the program included. That start is given apart, since a short
capture measures nothing else.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from collectors.parsers import PARSERS
from collectors.suricata import pcap_records
from collectors.suricata.binary import find_suricata
from collectors.suricata.config import CONTENT, SensorSettings, render_config
from kernel.pipeline import Pipeline
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolReader, SpoolWriter
from kernel.store.lake import Lake

_HEADER, _RECORD = 24, 16


def repeat_captures(captures: list[Path], times: int, target: Path) -> int:
    """The Ethernet captures among them several times over, each time with other addresses; returns the number of packets."""
    from scapy.all import IP, Ether, IPv6, PcapReader, PcapWriter

    packets = 0
    with PcapWriter(str(target), sync=False) as out:
        for copy, capture in product(range(times), captures):
            with PcapReader(str(capture)) as source:
                if source.LLcls is not Ether:
                    continue
                for packet in source:
                    for layer, shift in ((IP, _shift4), (IPv6, _shift6)):
                        if layer in packet:
                            packet[layer].src, packet[layer].dst = shift(packet[layer].src, copy), shift(packet[layer].dst, copy)
                    out.write(packet)
                    packets += 1
    return packets


def _shift4(address: str, copy: int) -> str:
    first, rest = address.split(".", 1)
    return f"{(int(first) + copy) % 223 + 1}.{rest}"


def _shift6(address: str, copy: int) -> str:
    head, _, rest = address.partition(":")
    return f"{(int(head or '0', 16) + copy) % 0xFFFF:x}:{rest}"


def alone(capture: Path, folder: Path, *, outputs: bool, rules: list[Path]) -> None:
    """Suricata by itself on the capture."""
    settings = SensorSettings(log_dir=folder, rule_files=tuple(rules), store_files=False)
    document: dict[str, Any] = yaml.safe_load(render_config(settings).split("---\n", 1)[1])
    if not outputs:
        document["outputs"] = []
    (folder / "suricata.yaml").write_text("%YAML 1.1\n---\n" + yaml.safe_dump(document, sort_keys=False, width=1 << 20))
    command = [find_suricata(), "-c", str(folder / "suricata.yaml"), "-l", str(folder), "-k", "none", "--runmode", "single"]
    subprocess.run([*command, "-r", str(capture)], capture_output=True, check=True)


def records(capture: Path, rules: list[Path]) -> list[RawRecord]:
    return list(pcap_records(capture, lambda line: None, rules=rules))


def parsed(capture: Path, rules: list[Path]) -> int:
    return sum(len(PARSERS[record.format](record)) for record in records(capture, rules))


def stored(capture: Path, rules: list[Path], folder: Path) -> int:
    """The whole road: spool, pipeline, lake."""
    writer = SpoolWriter(folder / "spool")
    lake = Lake.open(folder / "lake", writable=True)
    batch: list[bytes] = []
    for record in pcap_records(capture, lambda line: None, rules=rules):
        batch.append(encode_record(record))
        if len(batch) >= 1000:
            writer.put(batch)
            batch.clear()
    if batch:
        writer.put(batch)
    pipeline = Pipeline(SpoolReader(folder / "spool"), lake, parsers=PARSERS, detectors=(), publish=lambda found: None)
    while pipeline.step():
        pass
    count = lake.counters().get("events", 0)
    writer.close()
    lake.close()
    return int(count)


def timed(act: Callable[[Path], object], repeat: int) -> float:
    """Median seconds of an act, given a fresh folder each time."""
    spent = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(prefix="bench-suricata-") as name:
            for content in ("classification.config", "reference.config"):
                shutil.copy(CONTENT / content, name)
            start = time.perf_counter()
            act(Path(name))
            spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("captures", type=Path, nargs="+", help="Ethernet pcap files, read one after another")
    parser.add_argument("--rules", type=Path, nargs="*", default=[])
    parser.add_argument("--copies", type=int, default=1, help="the capture so often, with other addresses")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-suricata-") as name:
        capture = Path(name) / "capture.pcap"
        packets = repeat_captures(options.captures, options.copies, capture)
        events = len(records(capture, options.rules))
        empty = Path(name) / "empty.pcap"
        content = capture.read_bytes()
        length = int.from_bytes(content[_HEADER + 8 : _HEADER + 12], "little")
        empty.write_bytes(content[: _HEADER + _RECORD + length])
        print(f"{packets} packets, {len(content) >> 10} KiB, {events} events")
        start = timed(lambda folder: alone(empty, folder, outputs=False, rules=[]), options.repeat)
        floor = timed(lambda folder: alone(capture, folder, outputs=False, rules=[]), options.repeat)
        steps: dict[str, Callable[[Path], object]] = {
            "Suricata with our EVE": lambda folder: alone(capture, folder, outputs=True, rules=[]),
            "… and rules": lambda folder: alone(capture, folder, outputs=True, rules=options.rules),
            "… as records in a fixed order": lambda folder: records(capture, options.rules),
            "… parsed to ECS": lambda folder: parsed(capture, options.rules),
            "… spooled and stored": lambda folder: stored(capture, options.rules, folder),
        }
        print(f"{'start of Suricata, one packet':34} {start:7.2f} s")
        print(f"{'floor: no output, no rules':34} {floor:7.2f} s {packets / floor:10,.0f} packets/s")
        for what, act in steps.items():
            spent = timed(act, options.repeat)
            rate = f"{packets / spent:10,.0f} packets/s {spent / floor:6.2f} x floor {events / spent:8,.0f} events/s"
            print(f"{what:34} {spent:7.2f} s {rate}")


if __name__ == "__main__":
    main()
