"""Running a program to its end: within the time that is left, with bounded output, without our environment.

Arguments are a list, no shell reads them. What runs too long, says too much or is called off is killed with all that it started.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from kernel.programs.error import ProgramError
from kernel.programs.time_left import TimeLeft

MOST_OUTPUT = 1_048_576
_SLICE = 0.25
"""Seconds after which a waiting command looks whether it was called off."""
_LINGER = 1.0
"""Seconds for output to end after the program has: something it started may hold the pipe open."""
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


class Finished(msgspec.Struct, frozen=True):
    """How a program ended; ``code`` is negative where a signal ended it."""

    code: int
    output: bytes
    errors: bytes

    def said(self) -> str:
        """What it complained about, for a message to people: one line, 300 letters."""
        text = (self.errors or self.output)[-2_000:].decode("utf-8", "replace")
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[-300:]


def run(
    arguments: Sequence[str],
    time_left: TimeLeft,
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] = ENVIRONMENT,
    most: int = MOST_OUTPUT,
    descriptors: Sequence[int] = (),
) -> Finished:
    """Run a program to its end, whatever its exit code. ``most``: bytes of output, and as many of errors.

    Raises ProgramError: PROGRAM_MISSING, TIMEOUT, OUTPUT_TOO_LONG; and what ``time_left`` raises.
    """
    time_left.left()
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            pass_fds=descriptors,
        )
    except (OSError, ValueError) as error:
        raise ProgramError(f"{arguments[0]} cannot be started: {error}", code="PROGRAM_MISSING") from error
    try:
        talk = _Talk(process, stdin, most)
        talk.to_its_end(time_left)
        return Finished(process.wait(time_left.left()), bytes(talk.output), bytes(talk.errors))
    except subprocess.TimeoutExpired as error:
        raise ProgramError("it took too long", code="TIMEOUT") from error
    finally:
        _end(process)


class _Talk:
    """Giving a process its input and taking what it says, until its pipes have ended."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, most: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.output, self.errors = bytearray(), bytearray()
        self._process, self._input, self._most = process, process.stdin, most
        self._left = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._input.fileno(), False)
        self._selector.register(self._input, selectors.EVENT_WRITE)
        self._selector.register(process.stdout, selectors.EVENT_READ, self.output)
        self._selector.register(process.stderr, selectors.EVENT_READ, self.errors)

    def to_its_end(self, time_left: TimeLeft) -> None:
        """Raises ProgramError where there is no time left, it was called off, or it said too much."""
        ended_at = None
        with self._selector:
            while self._selector.get_map():
                for key, _ in self._selector.select(min(time_left.left(), _SLICE)):
                    if key.fileobj is self._input:
                        self._write()
                    else:
                        self._read(key)
                if self._process.poll() is not None:
                    ended_at = ended_at or time.monotonic()
                    if time.monotonic() - ended_at > _LINGER:
                        return

    def _write(self) -> None:
        """The next part of the input; the pipe is closed at its end, or where the program reads no more."""
        try:
            if self._left:
                self._left = self._left[os.write(self._input.fileno(), self._left[:65_536]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._left = self._left[:0]
        if not self._left:
            self._selector.unregister(self._input)
            with suppress(BrokenPipeError):
                self._input.close()

    def _read(self, key: selectors.SelectorKey) -> None:
        part = os.read(key.fd, 65_536)
        if not part:
            self._selector.unregister(key.fileobj)
        key.data.extend(part)
        if len(key.data) > self._most:
            raise ProgramError(f"it said more than {self._most:,} bytes and was stopped", code="OUTPUT_TOO_LONG")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing that was started goes on: its whole group is killed, and its pipes are closed."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
