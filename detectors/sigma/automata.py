"""Many patterns in one pass: Hyperscan where it is installed, Aho-Corasick and ``re`` where not, with equal results.

Set ``LIANDUN_NO_HYPERSCAN=1`` to run without Hyperscan on a machine that has it (tests hold that nothing else changes).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ahocorasick
import msgspec

from detectors.sigma.artifacts import Artifacts

hyperscan: Any
try:
    hyperscan = importlib.import_module("hyperscan")
except ImportError:  # no wheel for this processor (loongarch, some ARM)
    hyperscan = None

Scan = Callable[[str], list[int]]
"""Text → numbers of the patterns found in it (order and repetition mean nothing)."""


class Search(Protocol):
    def __call__(self, text: str) -> bool: ...


def available() -> bool:
    """True where Hyperscan is installed and not switched off."""
    return hyperscan is not None and os.environ.get("LIANDUN_NO_HYPERSCAN") != "1"


def version() -> str:
    """Version of the Hyperscan in use, "" without it."""
    return str(hyperscan.__version__) if available() else ""


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def literal_scan(literals: Sequence[str], artifacts: Artifacts) -> Scan:
    """Which of ``literals`` (number = position; none empty) a text contains. The case must already be removed.

    Each has a number of its own: Hyperscan compiles for minutes where thousands of literals share one.
    """
    if not literals:
        return lambda _text: []
    if available():
        encoded = [_encode(literal) for literal in literals]
        flags = [hyperscan.HS_FLAG_SINGLEMATCH] * len(encoded)
        database = _database(encoded, flags, True, artifacts)
        return _hyperscan(database)
    automaton = ahocorasick.Automaton()
    numbers: dict[str, list[int]] = {}
    for number, literal in enumerate(literals):
        numbers.setdefault(literal, []).append(number)
    for literal, same in numbers.items():
        automaton.add_word(literal, same)
    automaton.make_automaton()

    def scan(text: str) -> list[int]:
        found: list[int] = []
        for _, same in automaton.iter(text):
            found += same
        return found

    return scan


def byte_literal_scan(literals: Sequence[str], artifacts: Artifacts) -> Callable[[bytes], list[int]]:
    """Which of ``literals`` (ASCII) raw bytes contain, without case."""
    if not literals:
        return lambda _data: []
    if available():
        flags = [hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS] * len(literals)
        database = _database([_encode(literal) for literal in literals], flags, True, artifacts)
        scan_bytes = database.scan
        found: list[int] = []
        append = found.append

        def on_match(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            append(number)

        def scan(data: bytes) -> list[int]:
            found.clear()
            scan_bytes(data, match_event_handler=on_match)
            return found

        return scan
    search = literal_scan([literal.lower() for literal in literals], artifacts)
    return lambda data: search(data.decode("latin-1").lower())


def regex_scan(patterns: Sequence[tuple[str, str]], artifacts: Artifacts) -> tuple[Scan, list[int]]:
    """A scan for (pattern, flags) and the positions of those that Hyperscan cannot run (all of them without it)."""
    if not patterns or not available():
        return (lambda _text: []), list(range(len(patterns)))
    accepted = _accepted(patterns, artifacts)
    compiled = [number for number in range(len(patterns)) if accepted[number]]
    refused = [number for number in range(len(patterns)) if not accepted[number]]
    if not compiled:
        return (lambda _text: []), refused
    encoded = [_encode(patterns[number][0]) for number in compiled]
    database = _database(encoded, [_regex_flags(patterns[number][1]) for number in compiled], False, artifacts, compiled)
    return _hyperscan(database), refused


def single_regex(pattern: str, flags: str) -> Search | None:
    """A Hyperscan search for one pattern, or None where Hyperscan is absent or refuses it."""
    if not available():
        return None
    try:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(expressions=[_encode(pattern)], ids=[0], elements=1, flags=[_regex_flags(flags)])
    except hyperscan.error:
        return None
    scan = _hyperscan(database)
    return lambda text: bool(scan(text))


_DIFFERENT = ("{,", "\\Z", "\\A\\Z")
"""Spellings that ``re`` and PCRE read differently; such a pattern is left to ``re``."""


def _accepted(patterns: Sequence[tuple[str, str]], artifacts: Artifacts) -> bytes:
    """One byte for each pattern: 1 where Hyperscan runs it with the meaning of ``re``."""
    key = artifacts.key("accepted", hyperscan.__version__, *(part for pattern in patterns for part in pattern))
    known = artifacts.read(key)
    if known is None or len(known) != len(patterns):
        known = bytes(
            not any(spelling in pattern for spelling in _DIFFERENT) and single_regex(pattern, flags) is not None
            for pattern, flags in patterns
        )
        artifacts.write(key, known)
    return known


def _regex_flags(flags: str) -> int:
    value: int = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY | hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP
    for letter, flag in (("i", hyperscan.HS_FLAG_CASELESS), ("m", hyperscan.HS_FLAG_MULTILINE), ("s", hyperscan.HS_FLAG_DOTALL)):
        if letter in flags:
            value |= flag
    return value


def _database(expressions: list[bytes], flags: list[int], literal: bool, artifacts: Artifacts, ids: list[int] | None = None) -> Any:
    """A compiled database, from the cache where it is known."""
    numbers = list(range(len(expressions))) if ids is None else ids
    # the serialised form depends on the processor; loadb refuses a foreign one and we compile again
    key = artifacts.key("database", hyperscan.__version__, msgspec.msgpack.encode((expressions, flags, numbers, literal)))
    database = artifacts.in_memory.get(key)
    if database is None:
        database = artifacts.in_memory[key] = _load(key, artifacts) or _compile(
            key, expressions, numbers, flags, literal, artifacts
        )
    return database


def _load(key: str, artifacts: Artifacts) -> Any:
    stored = artifacts.read(key)
    if stored is None:
        return None
    try:
        database = hyperscan.loadb(stored, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.error:
        return None
    return database


def _compile(key: str, expressions: list[bytes], numbers: list[int], flags: list[int], literal: bool, artifacts: Artifacts) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=numbers, elements=len(expressions), flags=flags, literal=literal)
    artifacts.write(key, hyperscan.dumpb(database))
    return database


def _hyperscan(database: Any) -> Scan:
    scan_bytes = database.scan
    found: list[int] = []
    append = found.append

    def on_match(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        append(number)

    def scan(text: str) -> list[int]:
        found.clear()
        scan_bytes(text.encode("utf-8", "replace"), match_event_handler=on_match)
        return found

    return scan
