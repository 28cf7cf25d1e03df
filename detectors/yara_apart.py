"""YARA rules that a person wrote for once (a playbook), compiled and looked for in a process of their own.

A rule may be written so that it never ends or takes all memory, and files are hostile: the kernel limits the process, which
writes no file, is not root, and dies with us. Rules get the same external variables as those of detection (yara_load.EXTERNALS).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kernel.errors import RuleError, StoreError

MEMORY = 1 << 30
MOST_MATCHES = 1_000
COMPILING = 20.0
"""Seconds that compiling may take."""
OF_ONE_FILE = 20
"""Seconds that a file may take."""
_ROOT = Path(__file__).resolve().parents[1]
_TURN = 0.25


class Sought(msgspec.Struct, frozen=True):
    """What the process is asked: to look for ``rules`` in ``files`` (name and octets) until ``seconds`` are over."""

    rules: str
    files: list[tuple[str, bytes]]
    seconds: float


class Match(msgspec.Struct, frozen=True):
    """A rule that matches a file; ``strings``: name and place of its first matches, and the text where the rule itself has it."""

    file: str
    sha256: str
    rule: str
    tags: list[str]
    strings: list[tuple[str, int, str]]


class Looked(msgspec.Struct, frozen=True):
    """What it answers.

    names    of all rules
    failed   files that were not looked through to the end, and why
    problem  why the rules cannot be looked for; then there is nothing else
    """

    names: list[str] = []
    matches: list[Match] = []
    failed: dict[str, str] = {}
    problem: str = ""


def names_apart(rules: str) -> list[str]:
    """Names of the rules. Raises RuleError where they do not compile."""
    try:
        return _ask(Sought(rules, [], 0), COMPILING, lambda: None).names
    except StoreError as error:
        raise RuleError(f"the rules cannot be compiled: {error.message}") from error


def scan_apart(rules: str, files: Sequence[tuple[str, bytes]], seconds: float, go_on: Callable[[], object]) -> Looked:
    """Look for rules in files. ``go_on`` is called again and again; what it raises ends the process.

    Raises RuleError where the rules do not compile, StoreError where the process did not come to its end.
    """
    return _ask(Sought(rules, list(files), max(0.0, seconds - 1)), seconds, go_on)


def _ask(sought: Sought, seconds: float, go_on: Callable[[], object]) -> Looked:
    command = [*_limiter(seconds), sys.executable, "-B", "-m", "detectors.yara_process"]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    with os.fdopen(os.memfd_create("files"), "w+b") as held:
        held.write(msgspec.msgpack.encode(sought))
        held.seek(0)
        process = subprocess.Popen(
            command, stdin=held, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env=environment, start_new_session=True
        )
    end = time.monotonic() + seconds
    try:
        answer, said = _answer(process, end, go_on)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if process.returncode or not answer:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"status {process.returncode}"]
        raise StoreError(f"YARA did not come to its end: {last[0][:300]}")
    looked = msgspec.msgpack.decode(answer, type=Looked)
    if looked.problem:
        raise RuleError(looked.problem)
    return looked


def _answer(process: subprocess.Popen[bytes], end: float, go_on: Callable[[], object]) -> tuple[bytes, bytes]:
    while True:
        go_on()
        left = end - time.monotonic()
        if left <= 0:
            raise StoreError("YARA took too long")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=min(_TURN, left))


def _limiter(seconds: float) -> list[str]:
    """Kernel limits, and an end with ours (preexec_fn is not safe in a process with threads)."""
    prefix: list[str] = []
    if program := shutil.which("prlimit"):
        prefix += [program, f"--as={MEMORY}", f"--cpu={int(seconds) + 1}", "--core=0", "--fsize=0", "--"]
    if program := shutil.which("setpriv"):
        prefix += [program, "--pdeathsig", "KILL", "--no-new-privs", "--"]
    return prefix
