"""Speed of the Sigma engine: all SigmaHQ Windows rules over a million real events, one core.

    .venv/bin/python benchmarks/sigma.py [--events 1000000] [--distinct 100000] [--no-hyperscan] [--processes 2] [--keep FOLDER]

The events are the Windows ones of ../shared/corpora/security-datasets. The million repeats them with shifted record numbers and
times (*natural mix*); the second mix takes the process creations (Sysmon 1, Security 4688) and makes every command line different,
so that no cache helps. Printed: events per second by wall clock and per CPU second, where the time goes, load time cold and from
the cache, memory, counters. Run it on a quiet machine (``flock /tmp/liandun-bench.lock``).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import re
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not this folder: its sigma.py would hide the package of that name

import msgspec  # noqa: E402

from detectors.sigma.engine import SigmaEngine  # noqa: E402
from detectors.sigma.line_shapes import Probe, shape_of  # noqa: E402
from detectors.sigma.source import read_rule_files  # noqa: E402

SHARED = ROOT.parent / "shared" / "corpora"
RECORD = re.compile(rb'("(?:RecordNumber|EventRecordID)":)(\d+)')
STAMP = re.compile(rb'("(?:@timestamp|EventTime|EventReceivedTime|TimeCreated|UtcTime)":"\d{4}-\d\d-)(\d\d)')


def data_set_lines() -> list[bytes]:
    """Every Windows event line of the data sets."""
    lines: list[bytes] = []
    for path in sorted((SHARED / "security-datasets").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json") and "__MACOSX" not in name:
                    lines += [line for line in io.BytesIO(archive.read(name)).read().splitlines() if b'"EventID":' in line]
    return lines


def shifted(line: bytes, repeat: int) -> bytes:
    """The line as it would be on another day."""
    line = RECORD.sub(lambda match: match[1] + b"%d" % (int(match[2]) + repeat * 1_000_000), line)
    return STAMP.sub(lambda match: match[1] + b"%02d" % (repeat % 28 + 1), line)


def natural_mix(lines: list[bytes], count: int) -> Iterator[bytes]:
    for number in range(count):
        repeat, position = divmod(number, len(lines))
        yield shifted(lines[position], repeat)


def distinct_mix(lines: list[bytes], count: int) -> Iterator[bytes]:
    """Process creations; each command line gets words of its own in the middle and at the end."""
    creations = []
    for line in lines:
        event = json.loads(line)
        if event.get("CommandLine") and event.get("EventID") in (1, 4688):
            event.pop("Message", None)
            creations.append(event)
    for number in range(count):
        event = dict(creations[number % len(creations)])
        word = hashlib.blake2b(b"%d" % number, digest_size=9).hexdigest()
        event["CommandLine"] = f'{event["CommandLine"]} "C:\\Users\\{word[:6]}\\AppData\\Local\\{word[6:]}.txt" -id {number}'
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def windows_rules(folder: Path) -> list[Path]:
    """SigmaHQ's rules of product windows, one file each, in ``folder``."""
    folder.mkdir(exist_ok=True)
    for number, file in enumerate(read_rule_files([SHARED / "sigma-rules.tar.gz"])):
        if b"product: windows" in file.content:
            (folder / f"{number:04d}.yml").write_bytes(file.content)
    return [folder]


def lines_of(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Lines that begin within the byte range."""
    with path.open("rb", buffering=1 << 20) as file:
        if start:
            file.seek(start - 1)
            file.readline()
        position = file.tell()
        while end is None or position < end:
            block = file.readlines(1 << 20 if end is None else min(1 << 20, end - position))
            if not block:
                return
            yield from block
            position = file.tell()


def split(engine: SigmaEngine, path: Path, sample: int) -> dict[str, float]:
    """Microseconds an event: envelope, fields, keywords, matching (all warm)."""
    scanner = engine.line_scanner()
    lines = [line for _, line in zip(range(sample), lines_of(path), strict=False)]
    for _ in scanner.scan(lines):
        pass
    decode = msgspec.json.Decoder(Probe).decode

    def timed(work: Any) -> float:
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            work()
            best = min(best, time.process_time() - started)
        return best / len(lines) * 1e6

    prepared: list[tuple[Any, Any, bytes]] = []
    for line in lines:
        found = shape_of(decode(line))
        if found is None:
            continue
        plan = scanner._plans.get(found[:3])
        if plan is not None and plan.decode is not None:
            prepared.append((plan, line if found[3] is None else found[3], line))
    ready = [(plan, plan.decode(payload), line) for plan, payload, line in prepared]
    whole = timed(lambda: [None for _ in scanner.scan(lines)])
    parts = {
        "parse: envelope": timed(lambda: [shape_of(decode(line)) for line in lines]),
        "parse: fields": timed(lambda: [plan.decode(payload) for plan, payload, _ in prepared]),
        "match: keywords": timed(lambda: [scanner._keywords.scan(line) for line in lines]),
        "match: fields": timed(lambda: [plan.decide(fields, line) for plan, fields, line in ready]),
    }
    return {**parts, "other": whole - sum(parts.values()), "whole (warm)": whole}


def run(engine: SigmaEngine, path: Path, start: int, end: int) -> tuple[int, int, float, float]:
    """(lines, hits, wall seconds, CPU seconds) of one pass."""
    scanner = engine.line_scanner()
    wall, cpu = time.perf_counter(), time.process_time()
    hits = sum(len(rules) for _, _, rules in scanner.scan(lines_of(path, start, end)))
    return scanner.counters["lines"], hits, time.perf_counter() - wall, time.process_time() - cpu


def _process(arguments: tuple[list[Path], Path, Path, int, int]) -> tuple[int, int, float]:
    rules, cache, path, start, end = arguments
    engine = SigmaEngine.load(rules, cache_dir=cache)
    lines, hits, wall, _ = run(engine, path, start, end)
    return lines, hits, wall


def report(name: str, engine: SigmaEngine, path: Path) -> None:
    size = path.stat().st_size
    _, _, _, start = run(engine, path, 0, size // 20)  # the first twentieth: plans are built
    lines, hits, wall, cpu = run(engine, path, size // 20, size)
    print(f"\n{name}: {size:,} bytes, {size * 0.95 / lines:,.0f} an event, {hits:,} hits")
    print(f"  first twentieth ({lines // 19:,} events, plans built on the way): {start:.2f} CPU s")
    print(f"  the rest: {lines / wall:,.0f} events/s one core by wall clock, {lines / cpu:,.0f} per CPU second")
    print(f"  memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB at most")
    for part, micros in split(engine, path, 40_000).items():
        print(f"  {part:<18}{micros:8.2f} µs an event")
    print("  counters", {key: value for key, value in engine.snapshot().items() if key not in ("events", "detections")})


def in_processes(rules: list[Path], cache: Path, path: Path, count: int) -> None:
    size = path.stat().st_size
    ranges = [(rules, cache, path, size * n // count, size * (n + 1) // count) for n in range(count)]
    started = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(count) as pool:
        results = pool.map(_process, ranges)
    wall = time.perf_counter() - started
    lines = sum(result[0] for result in results)
    print(f"\n{count} processes: {lines:,} events, {lines / wall:,.0f} events/s with start, {sum(r[1] for r in results):,} hits")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--distinct", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-hyperscan", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the event files (kept and used again)")
    options = parser.parse_args()
    if options.no_hyperscan:
        os.environ["LIANDUN_NO_HYPERSCAN"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        natural, distinct = folder / f"natural-{options.events}.jsonl", folder / f"distinct-{options.distinct}.jsonl"
        if not (natural.exists() and distinct.exists()):
            lines = data_set_lines()
            print(f"{len(lines):,} Windows events in the data sets")
            for path, mix in ((natural, natural_mix(lines, options.events)), (distinct, distinct_mix(lines, options.distinct))):
                with path.open("wb") as file:
                    file.writelines(line + b"\n" for line in mix)
        rules, cache = windows_rules(Path(temporary) / "rules"), Path(temporary) / "cache"
        started = time.process_time()
        first = SigmaEngine.load(rules, cache_dir=cache)
        cold = time.process_time() - started
        for path in (natural, distinct):  # compiles the automata of all plans into the cache
            run(first, path, 0, path.stat().st_size // 20)
        del first
        started = time.process_time()
        engine = SigmaEngine.load(rules, cache_dir=cache)
        print(f"{len(engine.rules):,} rules, {len(engine.failures)} failures")
        print(f"load: {cold:.2f} CPU s cold, {time.process_time() - started:.2f} CPU s from the cache")
        report("natural mix", engine, natural)
        report("every command line different", SigmaEngine.load(rules, cache_dir=cache), distinct)
        if options.processes > 1:
            in_processes(rules, cache, natural, options.processes)


if __name__ == "__main__":
    main()
