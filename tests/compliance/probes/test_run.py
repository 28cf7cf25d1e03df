"""The run over many objects: bounded, told of, each within its time, and no object spoils another's results."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping

import pytest

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.registry import of_source, probes
from compliance.probes.run import Progress, run
from compliance.probes.target import Taken
from kernel.errors import LiandunError
from kernel.programs.process import run as run_program
from kernel.programs.time_left import TimeLeft
from tests.compliance.probes.snapshots import HARD, parts


class _Slow:
    """Counts how many are read at a time."""

    sources: tuple[Source, ...] = ("linux",)
    now, most = 0, 0
    lock = threading.Lock()

    def __init__(self, name: str, seconds: float = 0.02, program: str = "") -> None:
        self.name, self.seconds, self.program = name, seconds, program

    def read(self, parts_wanted: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        with _Slow.lock:
            _Slow.now += 1
            _Slow.most = max(_Slow.most, _Slow.now)
        try:
            if self.program:
                run_program(["sh", "-c", self.program], time_left)
            time.sleep(self.seconds)
        finally:
            with _Slow.lock:
                _Slow.now -= 1
        return parts(HARD)


class _Gone(_Slow):
    def read(self, parts_wanted: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        raise LiandunError("there is no host key of it")


def test_two_hundred_hosts_sixteen_at_a_time() -> None:
    told: list[Progress] = []
    chosen = of_source("linux")
    _Slow.most = 0
    targets = [(_Gone if number % 50 == 7 else _Slow)(f"host-{number}") for number in range(200)]
    results = list(run(targets, chosen, workers=16, progress=told.append))
    assert len(results) == 200 * len(chosen)
    assert 2 <= _Slow.most <= 16
    assert [one.done for one in told] == list(range(1, 201))
    assert {one.total for one in told} == {200}
    errors = {one.target for one in results if one.outcome == "error"}
    assert errors == {"host-7", "host-57", "host-107", "host-157"}
    assert all("no host key" in one.reason for one in results if one.target in errors)


def test_an_object_that_takes_too_long_is_an_error() -> None:
    began = time.monotonic()
    results = list(run([_Slow("slow", program="sleep 74.25"), _Slow("quick")], of_source("linux"), seconds=1.0, workers=2))
    assert time.monotonic() - began < 15
    assert {one.outcome for one in results if one.target == "slow"} == {"error"}
    assert {one.outcome for one in results if one.target == "quick"} == {"met"}


def test_who_stops_listening_stops_the_run() -> None:
    began = time.monotonic()
    results = run(
        [_Slow("quick", 0), *(_Slow(f"slow-{number}", program="sleep 75.25") for number in range(50))], of_source("linux")
    )
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 15


def test_it_can_be_called_off() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    results = list(
        run([_Slow(f"slow-{number}", program="sleep 76.25") for number in range(50)], of_source("linux"), workers=2, stop=stop)
    )
    assert {one.outcome for one in results} == {"error"}
    assert len({one.target for one in results}) <= 4


def test_what_was_read_can_be_judged_again() -> None:
    taken = Taken("kept", ("linux",), parts(HARD))
    assert {one.outcome for one in run([taken], list(probes().values()))} == {"met"}


def test_a_probe_that_fails_is_an_error_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    def broken(facts: object) -> object:
        raise RecursionError

    chosen = of_source("linux")
    wrong = msgspec.structs.replace(chosen[0], judge=broken)
    results = list(run([Taken("host", ("linux",), parts(HARD))], [wrong, *chosen[1:]]))
    assert [one.outcome for one in results] == ["error", *["met"] * (len(chosen) - 1)]
