"""Programs that are run for a command: their input and output, their limits, and that nothing of them stays."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from kernel.programs.memory_file import memory_file
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.process import run


def _context(seconds: float = 10, stop: threading.Event | None = None) -> Context:
    return Context(time.monotonic() + seconds, stop=stop)


def test_input_output_errors_and_exit_code() -> None:
    many = os.urandom(500_000)
    assert run(["cat"], _context(), stdin=many).output == many
    assert run(["true"], _context(), stdin=many).code == 0, "who does not read is no failure"
    found = run(["sh", "-c", "echo out; echo err >&2; exit 7"], _context())
    assert (found.code, found.output, found.errors, found.said()) == (7, b"out\n", b"err\n", "err")
    assert run(["sh", "-c", "kill -9 $$"], _context()).code == -9


def test_it_has_none_of_our_environment_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_PASSWORD", "secret")
    with memory_file(b"secret"):
        said = run(["sh", "-c", "env; ls -l /proc/self/fd; pwd"], _context()).output
    assert b"secret" not in said
    assert b"memfd" not in said
    assert said.endswith(b"\n/\n")


def test_nothing_goes_on_after_its_time() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    for context, code in ((_context(0.7), "ACTION_TIMEOUT"), (_context(9, stop), "ACTION_CANCELLED")):
        with pytest.raises(ActionError) as caught:
            run(["sh", "-c", "sleep 71.25 & sleep 71.25"], context)
        assert caught.value.code == code
    assert not _running(b"sleep\x0071.25\x00")


def test_who_leaves_something_behind_is_not_waited_for() -> None:
    began = time.monotonic()
    assert run(["sh", "-c", "sleep 72.25 & echo over"], _context()).output == b"over\n"
    assert time.monotonic() - began < 5
    assert not _running(b"sleep\x0072.25\x00")


def test_output_is_bounded_and_programs_that_are_not_there_are_told() -> None:
    for script in ("yes", "yes >&2"):
        with pytest.raises(ActionError) as caught:
            run(["sh", "-c", script], _context(), most=10_000)
        assert caught.value.code == "OUTPUT_TOO_LONG"
    for program in (["/nowhere/program"], ["a\0b"]):
        with pytest.raises(ActionError) as caught:
            run(program, _context())
        assert caught.value.code == "PROGRAM_MISSING"


def test_a_complaint_for_people_is_one_plain_line() -> None:
    said = run(["printf", "a\\033[31mb\\n\\tc\\000d"], _context()).said()
    assert said == "a [31mb c d"
    assert len(run(["sh", "-c", "yes x | head -c 5000"], _context()).said()) <= 300


def test_a_secret_in_memory_is_ours_alone_and_gone_afterwards() -> None:
    with memory_file(b"key\n") as path:
        assert Path(path).read_bytes() == b"key\n"
        assert Path(path).read_bytes() == b"key\n", "as often as it is opened"
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert str(Path(path).readlink()).startswith("/memfd:")
    assert not Path(path).exists()


def _running(line: bytes) -> bool:
    time.sleep(0.1)
    for found in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if found.read_bytes() == line:
                return True
        except OSError:
            continue
    return False
