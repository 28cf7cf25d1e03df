"""Regular expressions of rules, without ever hanging on one.

Python's ``re`` backtracks: ``(a+)+$`` on thirty characters takes hours. A pattern that could blow up is therefore run by
Hyperscan (an automaton, linear in the text) or, where Hyperscan is absent or cannot express it, refused when the rule is loaded.
Patterns that ``re`` runs safely give the same answer either way: both search, ``.`` stops at line feeds unless s, classes are
Unicode.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from detectors.sigma import automata
from kernel.errors import RuleError

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_MAX_WIDE = 6  # repeats without an end one after another: a power that is as bad as an exponent on long texts
_MAX_WIDE_ALONE = 4  # as many may stand in what only re can run (look-around, back references, word boundaries)
_MANY = 16  # a repeat up to this many times counts as bounded
_MAX_BITS = 20.0  # a million ways to match one text at one place
_MAX_SIZE = 4_000  # letters and classes with every repeat written out: an automaton of them is made in seconds
_MAX_SIZE_RISKY = 500  # as many where nothing but an automaton may run it
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)
_SINGLE = (ops.ANY, ops.IN, ops.NOT_LITERAL, ops.LITERAL)


def check_regex(pattern: str, flags: str) -> None:
    """Raises RuleError for a pattern that is wrong, or that could run for ever and that Hyperscan cannot run."""
    compiled = _compile(pattern, flags)
    risk, tree = backtracking_risk(pattern, compiled.flags), parser.parse(pattern, compiled.flags & ~re.UNICODE)
    size = _size(tree)
    if size > (_MAX_SIZE_RISKY if risk == EXPONENTIAL else _MAX_SIZE):
        hint = "repeats within repeats multiply"
        raise RuleError(f"regular expression {pattern} is too large: {size:,} letters with its repeats written out", hint)
    wide = risk == POLYNOMIAL and _count_wide_repeats(tree) > _MAX_WIDE_ALONE
    if (risk == EXPONENTIAL or (wide and automata.available())) and automata.single_regex(pattern, flags) is None:
        raise RuleError(
            f"regular expression {pattern} can take exponential time",
            "write it without a repeat inside a repeat, or install hyperscan",
        )


def regex_searcher(pattern: str, flags: str) -> Callable[[str], bool]:
    """A function that says whether ``pattern`` (one that :func:`check_regex` lets pass) occurs in a text."""
    return _searcher(pattern, flags, automata.available())


@lru_cache(maxsize=8192)
def _searcher(pattern: str, flags: str, hyperscan: bool) -> Callable[[str], bool]:
    search = _compile(pattern, flags).search
    if not hyperscan or backtracking_risk(pattern, _compile(pattern, flags).flags) == LINEAR:
        return lambda text: search(text) is not None
    scanner: automata.Search | None = None

    def careful(text: str) -> bool:
        nonlocal scanner
        if not text:
            return search(text) is not None
        if scanner is None:  # compiled on first use: it takes some hundredths of a second
            scanner = automata.single_regex(pattern, flags) or (lambda text: search(text) is not None)
        return scanner(text)

    return careful


def _compile(pattern: str, flags: str) -> re.Pattern[str]:
    python_flags = re.NOFLAG
    for letter in flags:
        python_flags |= _FLAGS[letter]
    try:
        return re.compile(pattern, python_flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise RuleError(f"regular expression {pattern} is wrong: {error}") from error


LINEAR, POLYNOMIAL, EXPONENTIAL = 0, 1, 2


@lru_cache(maxsize=8192)
def backtracking_risk(pattern: str, flags: int = 0) -> int:
    """What a backtracking matcher may need: about linear time, a power of the text's length, or more."""
    tree = parser.parse(pattern, flags & ~re.UNICODE)
    wide = _count_wide_repeats(tree)
    if _repeat_in_repeat(tree, False) or wide > _MAX_WIDE or _bits(tree) > _MAX_BITS:
        return EXPONENTIAL
    return POLYNOMIAL if wide > 1 else LINEAR


def _repeat_in_repeat(tree: Any, inside: bool) -> bool:
    for op, argument in tree:
        if op in _REPEATS:
            low, high, body = argument
            unbounded = high is ops.MAXREPEAT or high > _MANY
            if unbounded and inside and not (low == high and len(body) == 1):
                return True
            if unbounded and inside is False and _ambiguous(body):
                return True
            if _repeat_in_repeat(body, inside or unbounded):
                return True
        elif any(_repeat_in_repeat(part, inside) for part in _inner(op, argument)):
            return True
    return False


def _bits(tree: Any) -> float:
    """Logarithm of the ways in which a pattern may match one text, as far as repeats with an end make them: ``(a?){30}`` has 30."""
    bits = 0.0
    for op, argument in tree:
        if op in _REPEATS:
            low, high, body = argument
            inner = _bits(body)
            if high is ops.MAXREPEAT:
                bits += inner  # repeats without an end are counted elsewhere
            else:
                bits += math.log2(high - low + 1) + high * inner
        else:
            parts = _inner(op, argument)
            bits += max(map(_bits, parts), default=0.0)
            if op is ops.BRANCH and _ambiguous([(op, argument)]):
                bits += math.log2(len(parts))
    return bits


def _size(tree: Any) -> int:
    """How many letters and classes a pattern has with every repeat that has an end written out."""
    size = 0
    for op, argument in tree:
        if op in _REPEATS or op is ops.POSSESSIVE_REPEAT:
            low, high, body = argument
            size += (max(low, 1) if high is ops.MAXREPEAT else high) * _size(body)
        else:
            size += sum(map(_size, _inner(op, argument))) or 1
    return size


def _ambiguous(body: Any) -> bool:
    """An alternation under a repeat whose branches are not told apart by a first literal character."""
    for op, argument in body:
        if op is ops.BRANCH:
            firsts = [branch[0] if len(branch) else None for branch in argument[1]]
            literals = [first[1] for first in firsts if first is not None and first[0] is ops.LITERAL]
            if len(set(literals)) < len(firsts):
                return True
        elif any(_ambiguous(part) for part in _inner(op, argument)):
            return True
    return False


def _count_wide_repeats(tree: Any) -> int:
    """How many unbounded repeats of a single character or class (``.``, ``\\w``, ``[^x]``, ``a``) stand one after another."""
    count = 0
    for op, argument in tree:
        if op in _REPEATS:
            _, high, body = argument
            if high is ops.MAXREPEAT and len(body) == 1 and body[0][0] in _SINGLE:
                count += 1
            else:
                count += _count_wide_repeats(body)
        else:
            count += max((_count_wide_repeats(part) for part in _inner(op, argument)), default=0)
    return count


def _inner(op: Any, argument: Any) -> list[Any]:
    if op is ops.SUBPATTERN:
        return [argument[3]]
    if op is ops.BRANCH:
        return list(argument[1])
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [argument[1]]
    if op is ops.ATOMIC_GROUP:
        return [argument]
    if op is ops.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part is not None]
    if op is ops.POSSESSIVE_REPEAT:
        return [argument[2]]
    return []
