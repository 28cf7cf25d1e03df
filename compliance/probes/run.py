"""Probes on many objects: some at a time, each within its own time, results as they come.

for result in run(targets, list(probes().values()), workers=16, progress=print):
    ...
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import msgspec

from compliance.probes.contract import Probe
from compliance.probes.facts import TAKEN
from compliance.probes.result import Result, failed, judged
from compliance.probes.target import Target
from kernel.errors import LiandunError
from kernel.programs.time_left import Deadline

SECONDS = 300.0
"""Time for one object."""
WORKERS = 8


class Progress(msgspec.Struct, frozen=True):
    """``done`` of ``total`` objects; ``target`` was the last one."""

    done: int
    total: int
    target: str


def run(
    targets: Sequence[Target],
    probes: Sequence[Probe],
    *,
    workers: int = WORKERS,
    seconds: float = SECONDS,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Result]:
    """Each probe on each target that it fits. An object that cannot be read gives one error for each of its probes.

    At most ``workers`` objects are read or held at a time, however many there are. Where ``stop`` is set, what runs is called off;
    where the iterator is closed early, it is set.
    """
    ended = stop or threading.Event()
    left = iter(targets)
    done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="probe") as pool:
        running: dict[Future[list[Result]], str] = {}
        try:
            while True:
                while len(running) < workers and not ended.is_set():
                    target = next(left, None)
                    if target is None:
                        break
                    running[pool.submit(_one, target, probes, seconds, ended)] = target.name
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    done += 1
                    if progress is not None:
                        progress(Progress(done, len(targets), name))
                    yield from future.result()
        finally:
            if running:
                ended.set()


def _one(target: Target, probes: Sequence[Probe], seconds: float, stop: threading.Event) -> list[Result]:
    fitting = [probe for probe in probes if probe.source in target.sources]
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if not fitting:
        return []
    try:
        parts = dict(target.read({name for probe in fitting for name in probe.reads}, Deadline(seconds, stop)))
    except (LiandunError, OSError, ValueError) as error:
        return [failed(probe, target.name, at, str(error)) for probe in fitting]
    at = parts[TAKEN].text if TAKEN in parts else at
    return [judged(probe, parts, target.name, at) for probe in fitting]
