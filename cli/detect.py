"""``./liandun detect PATH…``: Sigma, Suricata and YARA over files, without a server."""

from __future__ import annotations

import contextlib
import gc
import io
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.detect_output import write_csv, write_jsonl, write_table
from cli.detect_rules import RuleSet, load_rules
from cli.detect_worker import Outcome, Piece, Worker, correlate
from collectors.files import find_files, spans
from collectors.parsers.clock import Clock
from kernel.detection import LEVELS
from kernel.zones.plan import read_plan_file
from kernel.zones.table import ZoneTable

PIECE_BYTES = 32 << 20
"""Large files are shared out in pieces of this size."""

_FILE = click.Path(dir_okay=False, path_type=Path)
_worker: Worker | None = None


def _run_piece(piece: Piece) -> Outcome:
    assert _worker is not None  # set before the fork
    return _worker.run(piece)


@click.command("detect")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--rules",
    "rule_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Sigma (.yml, folder, .tar.gz, .zip), YARA (.yar) or Suricata (.rules); may be given again. Default: Liandun's own.",
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True)
@click.option("--out", type=_FILE, metavar="FILE", help="Write detections here instead of standard output.")
@click.option("--min-level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True, help="Leave out rules below this.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Worker processes. Default: one per core.")
@click.option("--zones", "plan", type=_FILE, metavar="FILE", help="Zone plan to judge crossings by (docs/zones.md).")
@click.option("--timezone", "zone", default="UTC", show_default=True, metavar="ZONE", help="Zone of time stamps that name none.")
@click.option("--failures", type=_FILE, metavar="FILE", help="Write the rules that could not be loaded here.")
@click.option("-v", "--verbose", is_flag=True, help="List every rule that could not be loaded.")
def command(
    paths: tuple[Path, ...],
    rule_paths: tuple[Path, ...],
    form: str,
    out: Path | None,
    min_level: str,
    jobs: int | None,
    plan: Path | None,
    zone: str,
    failures: Path | None,
    verbose: bool,
) -> None:
    """Look for attacks in log files and packet captures.

    PATH: files or folders of .evtx, .json, .jsonl, .ndjson, .log, .txt, .pcap, .pcapng (.gz too; .zip for logs). Exit code 0: all
    was read, whether or not something was found. 1: something could not be read or loaded; the rest was done.
    """
    try:
        Clock.zone = ZoneInfo(zone) if zone != "UTC" else Clock.zone
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(f"unknown time zone {zone!r}", param_hint="--timezone") from error
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    started = time.monotonic()
    rules = load_rules(rule_paths)
    zones = ZoneTable(read_plan_file(plan)) if plan is not None else None
    _tell_failures(rules, verbose, failures, console)
    loaded = time.monotonic()
    pieces, missing = _pieces(paths)
    for problem in missing:
        console.print(problem, markup=False)
    with contextlib.ExitStack() as cleanup:
        target = cleanup.enter_context(_target(out))
        folder = Path(tempfile.mkdtemp(prefix="liandun-detect-"))
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        workers = min(jobs or os.cpu_count() or 1, max(len(pieces), 1))
        outcomes: list[Outcome] = []
        hits = _hits(Worker(rules, min_level, folder, zones), pieces, workers, folder, outcomes, console)
        counted = _Counted(correlate(hits, rules, min_level) if rules.correlates else hits)
        _write(form, counted, target)
    _summary(outcomes, rules, counted.count, (started, loaded), len(missing), console)
    if missing or any(outcome.problem_count for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _tell_failures(rules: RuleSet, verbose: bool, file: Path | None, console: Console) -> None:
    if not rules.failures:
        return
    if file is not None:
        file.write_text("".join(f"{failure}\n" for failure in rules.failures), encoding="utf-8")
    if verbose:
        for failure in rules.failures:
            console.print(f"rule not loaded: {failure}", markup=False)
    else:
        console.print(f"{len(rules.failures)} rules could not be loaded; --verbose lists them", markup=False)


def _pieces(paths: Sequence[Path]) -> tuple[list[Piece], list[str]]:
    """Work in the order of the output, and what is wrong with the paths."""
    pieces: list[Piece] = []
    problems: list[str] = []
    seen: set[Path] = set()
    for path in paths:
        try:
            if not path.exists():
                problems.append(f"{path}: no such file or folder")
                continue
            count = len(pieces)
            for file in find_files(path):
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    pieces.extend(Piece(file, span) for span in spans(file, PIECE_BYTES))
            if len(pieces) == count and path.is_dir():
                problems.append(f"{path}: no log file or packet capture in this folder")
        except OSError as error:
            problems.append(f"{path}: {error.strerror or error}")
    return pieces, problems


def _hits(
    worker: Worker, pieces: list[Piece], workers: int, folder: Path, outcomes: list[Outcome], console: Console
) -> Iterator[bytes]:
    """JSON lines of all pieces, in the order of the pieces; ``outcomes`` is filled on the way."""
    global _worker
    _worker = worker
    gc.freeze()  # rules stay shared between the forked workers
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
    with contextlib.ExitStack() as stack:
        stack.callback(gc.unfreeze)  # what stays frozen at exit is not freed, and DuckDB's binding tells so on stderr
        stack.enter_context(progress)
        task = progress.add_task("detecting", total=sum(piece.span[1] - piece.span[0] for piece in pieces) or 1)
        for outcome in _outcomes(pieces, workers, folder):
            progress.advance(task, outcome.piece.span[1] - outcome.piece.span[0])
            outcomes.append(outcome)
            for problem in outcome.problems:
                console.print(problem, markup=False)
            if outcome.problem_count > len(outcome.problems):
                console.print(f"{outcome.piece.path}: {outcome.problem_count - len(outcome.problems)} more problems", markup=False)
            with outcome.hits.open("rb") as lines:
                yield from lines
            outcome.hits.unlink()


def _outcomes(pieces: list[Piece], workers: int, folder: Path) -> Iterator[Outcome]:
    """Outcomes in the order of the pieces. A worker that dies (native code, memory) costs its piece, not the run."""
    if workers == 1:
        yield from map(_run_piece, pieces)
        return
    done = 0
    try:
        with _pool(workers) as pool:
            futures: list[Future[Outcome]] = [pool.submit(_run_piece, piece) for piece in pieces]
            for future in futures:
                yield future.result()
                done += 1
    except BrokenProcessPool:
        for piece in pieces[done:]:
            yield _alone(piece, folder)


def _alone(piece: Piece, folder: Path) -> Outcome:
    try:
        with _pool(1) as pool:
            return pool.submit(_run_piece, piece).result()
    except BrokenProcessPool:
        empty = folder / "died.jsonl"
        empty.touch()
        problem = f"{piece.path}: the worker process died while reading it (out of memory, or a fault in native code); skipped"
        return Outcome(piece, empty, problems=[problem], problem_count=1)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))


@contextlib.contextmanager
def _target(out: Path | None) -> Iterator[Any]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with out.open("wb") as file:
            yield file
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from error


def _write(form: str, lines: Iterable[bytes], target: Any) -> None:
    if form == "jsonl":
        write_jsonl(lines, target)
        return
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    try:
        if form == "csv":
            write_csv(lines, text)
        else:
            write_table(lines, text, colour=target is sys.stdout.buffer and sys.stdout.isatty())
        text.flush()
    finally:
        text.detach()


class _Counted:
    """Lines that are counted as they pass."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self.count = lines, 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.count += 1
            yield line


def _summary(
    outcomes: list[Outcome], rules: RuleSet, found: int, times: tuple[float, float], missing: int, console: Console
) -> None:
    started, loaded = times
    now = time.monotonic()
    records = sum(outcome.records for outcome in outcomes)
    problems = sum(outcome.problem_count for outcome in outcomes) + missing
    files = len({outcome.piece.path for outcome in outcomes})
    console.print(
        f"{files} files, {records} records, {rules.loaded} (loaded in {loaded - started:.1f} s): {found} detections, "
        f"{problems} problems, {now - loaded:.1f} s",
        markup=False,
    )
