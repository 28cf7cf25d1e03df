"""The event store at size: ingest with a durable commit per 10,000 events, then twelve questions that analysts ask.

    python -m benchmarks.store --engine lake --load --ask --events 5000000 --dir DIR
    python -m benchmarks.store --engine elasticsearch --load --ask --events 5000000 --dir DIR --url http://127.0.0.1:9200
    python -m benchmarks.store --dir DIR                        prints what was measured before, side by side

Loading and asking can be run apart; the store and the figures stay in DIR (Elasticsearch keeps its own data). Every figure is of
one process of ours: ingest is the time inside ``commit`` (the processes that make events rest meanwhile) with compaction told
apart, CPU is that of our process and, with --server-pid, of the server's.

cold  a process of its own for each question, the store's files dropped from the page cache (posix_fadvise) before it; files that
      a server has mapped may stay: --server-data DIR names its data, --server-pid is stated in the report
warm  the same process again and again, after one run that does not count

A list is the newest hundred hits with twelve fields and the number of all hits, as the console shows it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

from benchmarks import events as mix
from kernel.config import load_config
from kernel.event import timestamp_from_micros
from kernel.query import parse_query
from kernel.store.answer import answer
from kernel.store.contract import Commit, EventStore, TimeRange
from kernel.store.lake import Lake
from kernel.store.open import open_store

ENGINES = ("lake", "elasticsearch")
WARM, COLD = 20, 5
PAGE_AT = 10_000
_PATIENCE = 600.0


class Question(msgspec.Struct, frozen=True):
    """``late``: only the last fifth of the time; ``deep``: the page after the 10,000th hit."""

    title: str
    text: str
    late: bool = False
    deep: bool = False


ADDRESS = "10.3.7.77"
QUESTIONS = (
    Question("needle: a hash", f"process.hash.sha256:{mix.NEEDLE}"),
    Question("substring of a command line", "process.command_line:*comsvcs*"),
    Question("free word that is nowhere", "zerologon"),
    Question("free text, two words", "failed AND gao.ming"),
    Question("address, source or destination, last fifth", f"source.ip:{ADDRESS} OR destination.ip:{ADDRESS}", late=True),
    Question("network and port, last fifth", "destination.ip:10.3.0.0/16 AND destination.port:445", late=True),
    Question("wildcard host", "host.name:srv-db-0?.*"),
    Question("regex on the command line", "process.command_line:/minidump +[0-9]{2,6} .*[.]dmp/"),
    Question("exists and NOT", "_exists_:rule.name AND NOT rule.name:*scan* AND NOT source.ip:203.0.0.0/8"),
    Question("top 10 talkers", "event.dataset:suricata.flow | top source.ip"),
    Question("failures by the hour", "event.outcome:failure | histogram 1h"),
    Question(f"page at {PAGE_AT:,}", "event.dataset:web.access", deep=True),
)


def opened(engine: str, options: argparse.Namespace, *, writable: bool) -> EventStore:
    """The store of an engine."""
    if engine == "lake":
        return Lake.open(options.dir / "lake", writable=writable, demo=True, patience=_PATIENCE)
    config = load_config(environ={})
    config.platform.data_dir, config.platform.demo = options.dir, True
    config.store.engine = "elasticsearch"
    config.store.elasticsearch.urls = [options.url]
    config.store.elasticsearch.prefix = "liandun-bench"
    return open_store(config, writable=writable, patience=_PATIENCE)


# loading


def load(engine: str, options: argparse.Namespace) -> dict[str, Any]:
    """Commit all events that are not there yet; the figures."""
    store = opened(engine, options, writable=True)
    position, _ = store.consumer("bench")
    commits: list[float] = []
    cpu = upkeep = upkeep_cpu = 0.0
    size = loaded = 0
    server = _server_cpu(options)
    for place, batch in enumerate(mix.batches(options.events)):
        if (place + 1) * mix.CHUNK <= position:
            continue
        if not size:
            size = sum(len(orjson.dumps(event)) for event in batch) // len(batch)
        end = place * mix.CHUNK + len(batch)
        before, cpu_before = time.perf_counter(), time.process_time()
        store.commit(Commit(batch, consumer="bench", position=end, counters={"stored": len(batch)}))
        commits.append(time.perf_counter() - before)
        cpu += time.process_time() - cpu_before
        loaded += len(batch)
        spent = _compact(store)
        upkeep, upkeep_cpu = upkeep + spent[0], upkeep_cpu + spent[1]
        if place % 20 == 19:
            print(f"\r{engine}: {end:,} of {options.events:,}", end="", file=sys.stderr, flush=True)
    spent = _compact(store, everything=True)
    facts = store.statistics()
    store.close()
    print(file=sys.stderr)
    if not commits:
        return {}
    return {
        "events": facts["events"],
        "json_bytes": size,
        "stored_bytes": facts["bytes"] / max(1, facts["events"]),
        "per_second": loaded / sum(commits),
        "per_cpu_second": loaded / cpu,
        "commit_p50": statistics.median(commits) * 1000,
        "commit_max": max(commits) * 1000,
        "upkeep_seconds": upkeep + spent[0],
        "upkeep_cpu_seconds": upkeep_cpu + spent[1],
        "server_cpu_seconds": _server_cpu(options) - server,
        "segments": facts.get("segments", 0),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _compact(store: EventStore, **how: bool) -> tuple[float, float]:
    compact: Any = getattr(store, "compact", None)
    if compact is None:
        return 0.0, 0.0
    before, cpu = time.perf_counter(), time.process_time()
    compact(**how)
    if how and isinstance(store, Lake):
        store.purge(grace=0)
    return time.perf_counter() - before, time.process_time() - cpu


def _server_cpu(options: argparse.Namespace) -> float:
    """CPU seconds of the server so far (Linux: /proc/PID/stat, fields 14 and 15)."""
    if not options.server_pid:
        return 0.0
    fields = Path(f"/proc/{options.server_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# asking


def time_range(question: Question, total: int) -> TimeRange:
    """All of the time, or its last fifth."""
    return TimeRange(timestamp_from_micros(mix.START + total * 4 // 5 * mix.STEP) if question.late else "")


def asked(store: EventStore, question: Question, total: int, cursor: str) -> tuple[float, int]:
    """Milliseconds, and the number of hits or buckets."""
    query, when = parse_query(question.text), time_range(question, total)
    before = time.perf_counter()
    result = answer(store, query, when, limit=100, cursor=cursor, count=True)
    spent = (time.perf_counter() - before) * 1000
    return spent, len(result.buckets) if result.page is None else result.page.total or 0


def cursor_of(store: EventStore, question: Question, total: int) -> str:
    """The mark of the page after the 10,000th hit."""
    if not question.deep:
        return ""
    return store.search(parse_query(question.text), time_range(question, total), limit=PAGE_AT, fields=["event.id"]).cursor


def ask(engine: str, options: argparse.Namespace) -> dict[str, Any]:
    """Warm and cold times of every question."""
    store = opened(engine, options, writable=False)
    total = int(store.statistics()["events"])
    found: dict[str, Any] = {}
    cursors = [cursor_of(store, question, total) for question in QUESTIONS]
    for question, cursor in zip(QUESTIONS, cursors, strict=True):
        _, hits = asked(store, question, total, cursor)
        warm = sorted(asked(store, question, total, cursor)[0] for _ in range(WARM))
        found[question.title] = {"hits": hits, "warm_p50": statistics.median(warm), "warm_p95": warm[round(0.95 * (WARM - 1))]}
        print(f"{engine}: {question.title}: {statistics.median(warm):.0f} ms warm", file=sys.stderr)
    store.close()
    for number, (question, cursor) in enumerate(zip(QUESTIONS, cursors, strict=True)):
        cold = sorted(_cold(engine, options, number, total, cursor) for _ in range(COLD))
        found[question.title] |= {"cold_p50": statistics.median(cold), "cold_p95": cold[-1]}
        print(f"{engine}: {question.title}: {statistics.median(cold):.0f} ms cold", file=sys.stderr)
    return found


def _cold(engine: str, options: argparse.Namespace, number: int, total: int, cursor: str) -> float:
    """Milliseconds in a new process that has imported our code but read nothing of the store; opening it counts."""
    drop_cached(options.dir / "lake" if engine == "lake" else options.server_data)
    command = [sys.executable, "-m", "benchmarks.store", "--engine", engine, "--dir", str(options.dir), "--url", options.url]
    job = json.dumps([number, total, cursor])
    return float(subprocess.run([*command, "--one", job], check=True, capture_output=True, text=True).stdout)


def one(engine: str, options: argparse.Namespace) -> float:
    """What the child of :func:`_cold` does."""
    number, total, cursor = json.loads(options.one)
    before = time.perf_counter()
    store = opened(engine, options, writable=False)
    asked(store, QUESTIONS[number], total, cursor)
    spent = (time.perf_counter() - before) * 1000
    store.close()
    return spent


def drop_cached(folder: Path | None) -> None:
    """Drop a folder's files from the page cache."""
    if folder is None:
        return
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


# telling


def report(figures: dict[str, dict[str, Any]]) -> None:
    """What was measured, engines side by side."""
    engines = [engine for engine in ENGINES if engine in figures]
    for engine in engines:
        if loaded := figures[engine].get("load"):
            print(
                f"{engine}: {loaded['events']:,} events of {loaded['json_bytes']} B JSON: {loaded['per_second']:,.0f}/s wall,"
                f" {loaded['per_cpu_second']:,.0f} per CPU second of ours; commit p50 {loaded['commit_p50']:.0f} ms,"
                f" max {loaded['commit_max']:.0f}; {loaded['stored_bytes']:.0f} B/event in {loaded['segments']} segments;"
                f" upkeep {loaded['upkeep_seconds']:.0f} s ({loaded['upkeep_cpu_seconds']:.0f} CPU);"
                f" server {loaded['server_cpu_seconds']:.0f} CPU s; our peak memory {loaded['peak_mb']} MB"
            )
    asked_of = [engine for engine in engines if figures[engine].get("ask")]
    if not asked_of:
        return
    print(f"\n{'ms':44}" + "".join(f"{engine + ' warm p50/p95':>26}{'cold p50/p95':>16}{'hits':>11}" for engine in asked_of))
    for question in QUESTIONS:
        line = f"{question.title:44}"
        for engine in asked_of:
            told = figures[engine]["ask"][question.title]
            line += (
                f"{told['warm_p50']:17.0f}{told['warm_p95']:9.0f}{told['cold_p50']:9.0f}{told['cold_p95']:7.0f}{told['hits']:11,}"
            )
        if len(asked_of) == len(ENGINES):
            lake, other = (figures[engine]["ask"][question.title] for engine in ENGINES)
            line += f"   × {other['warm_p50'] / lake['warm_p50']:.2f} warm, × {other['cold_p50'] / lake['cold_p50']:.2f} cold"
        print(line)


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    parser.add_argument("--load", action="store_true", help="store the events that are not there yet")
    parser.add_argument("--ask", action="store_true", help="time the questions")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--url", default="http://127.0.0.1:9200")
    parser.add_argument("--server-pid", type=int, default=0)
    parser.add_argument("--server-data", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(one(options.engine, options))
        return
    options.dir.mkdir(parents=True, exist_ok=True)
    kept = options.dir / "figures.json"
    figures: dict[str, dict[str, Any]] = orjson.loads(kept.read_bytes()) if kept.exists() else {}
    for engine in ENGINES if options.engine == "both" else (options.engine,):
        if options.load and (loaded := load(engine, options)):
            figures.setdefault(engine, {})["load"] = loaded
        if options.ask:
            figures.setdefault(engine, {})["ask"] = ask(engine, options)
        kept.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    report(figures)


if __name__ == "__main__":
    main()
