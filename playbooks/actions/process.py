"""Running a program to its end: within the time of the request, with bounded output, without our environment.

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
from typing import IO

import msgspec

from playbooks.actions.contract import ActionError, Context

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
    context: Context,
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] = ENVIRONMENT,
    most: int = MOST_OUTPUT,
    descriptors: Sequence[int] = (),
) -> Finished:
    """Run a program to its end, whatever its exit code. ``most``: bytes of output, and as many of errors.

    Raises ActionError: PROGRAM_MISSING, ACTION_TIMEOUT, ACTION_CANCELLED, OUTPUT_TOO_LONG.
    """
    context.left()
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
        raise ActionError(f"{arguments[0]} cannot be started: {error}", code="PROGRAM_MISSING") from error
    try:
        output, errors = _spoken(process, context, stdin, most)
        return Finished(process.wait(context.left()), output, errors)
    except subprocess.TimeoutExpired as error:
        raise ActionError("it took too long", code="ACTION_TIMEOUT") from error
    finally:
        _end(process)


def _spoken(process: subprocess.Popen[bytes], context: Context, stdin: bytes, most: int) -> tuple[bytes, bytes]:
    """Give a process its input and take its output until both pipes have ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    heard: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    ended_at = 0.0
    with selectors.DefaultSelector() as selector:
        for pipe in heard:
            selector.register(pipe, selectors.EVENT_READ)
        os.set_blocking(process.stdin.fileno(), False)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        left = memoryview(stdin)
        while selector.get_map():
            for key, _ in selector.select(min(context.left(), _SLICE)):
                if key.fileobj is process.stdin:
                    left = _written(process.stdin, left)
                    if not left:
                        selector.unregister(process.stdin)
                        with suppress(BrokenPipeError):
                            process.stdin.close()
                    continue
                pipe = process.stdout if key.fileobj is process.stdout else process.stderr
                part = os.read(pipe.fileno(), 65_536)
                heard[pipe] += part
                if not part:
                    selector.unregister(pipe)
                if len(heard[pipe]) > most:
                    raise ActionError(f"it said more than {most:,} bytes and was stopped", code="OUTPUT_TOO_LONG")
            if process.poll() is not None:
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > _LINGER:
                    break
    return bytes(heard[process.stdout]), bytes(heard[process.stderr])


def _written(pipe: IO[bytes], left: memoryview) -> memoryview:
    """What is still to be written; nothing where the program reads no more."""
    try:
        return left[os.write(pipe.fileno(), left[:65_536]) :] if left else left
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing that was started goes on: its whole group is killed, and its pipes are closed."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
