"""One field of a plan: value → which rows it allows.

Every distinct one-field subtree of the plan's rows is *worked out* for a value once and kept. For a value not seen before, the
subtrees that could be true are found by what is in the value (one pass for all literals, one for all regular expressions, hash
look-ups for whole values, beginnings and ends), and only those are evaluated. Values in which the same is found (command lines that
differ in a path or a number) share what the findings mean; only the checks are made anew.

An entry is a pair of integers: ``singles`` has bit r where row r does not object to the value; ``clauses`` has a bit for each
clause that the value satisfies (see :func:`plan_build.layer_offsets`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.automata import Scan, literal_scan, regex_scan
from detectors.sigma.evaluate import on_texts
from detectors.sigma.lower import Checker, compile_check
from detectors.sigma.plan_image import CheckImage, TableImage, decode_node, unpack
from detectors.sigma.values import text_of, texts_of

MISSING = msgspec.UNSET
MAX_CACHED = 60_000  # values kept for one field
MAX_CACHED_LENGTH = 8_192  # longer values (script blocks) hardly come twice
MAX_FINDINGS = 4_096  # combinations of findings kept for one field

Entry: TypeAlias = tuple[int, int]


class _Check:
    """A subtree to evaluate; ``test`` is compiled when it is first needed."""

    __slots__ = ("clauses", "default", "node", "rows", "singles", "test")

    def __init__(self, image: CheckImage) -> None:
        self.singles = unpack(image.singles)
        self.clauses = unpack(image.clauses)
        self.rows = unpack(image.rows)
        self.default = image.default
        self.node = image.node
        self.test: Checker | None = None


_Meaning: TypeAlias = tuple[int, int, tuple[_Check, ...]]
"""Entry before the checks, and the checks."""


class FieldTable:
    """A table that has been built, see :class:`TableImage`; ``rows``: how many the plan has."""

    def __init__(self, image: TableImage, rows: int, artifacts: Artifacts) -> None:
        self.field = image.field
        self.concerns = unpack(image.concerns)
        self.clause_bits = unpack(image.clause_bits)
        self.cost = image.cost
        self.nothing_found: Entry = _entry(image.base)
        self.missing: Entry = _entry(image.missing)
        self.cache: dict[Any, Entry] = {}
        self.hits_missed = 0
        self._image = image
        self._artifacts = artifacts
        self._empty: Entry = _entry(image.empty)
        self._numbers: dict[tuple[str, bool | int | float], Entry] = {}
        self._shared: dict[Entry, Entry] = {}
        self._meanings: dict[tuple[int, frozenset[int], tuple[int, ...]], _Meaning] = {}
        self._every_row = (1 << rows) - 1
        self._large = len(image.subtrees) > 30
        self._seen: set[int] = set()
        self._ready = False
        self._preset()

    def _preset(self) -> None:
        self.cache[MISSING] = self.missing
        self.cache[None] = self.cache[""] = self._empty

    def _prepare(self) -> None:
        """What working out a value needs: made for the first one, because most fields of most classes never have a new value."""
        image = self._image
        self._scan_regexes, refused = regex_scan(image.patterns, self._artifacts)
        self._has_regexes = len(refused) < len(image.patterns)
        self._regex_numbers = {pattern: n for n, pattern in enumerate(image.patterns) if n not in set(refused)}
        self._scan_literals: Scan | None = None
        if image.literals:
            self._scan_literals = literal_scan(image.literals, self._artifacts)
        self._effects = [(unpack(one.singles), unpack(one.clauses), unpack(one.rows), one.checks) for one in image.effects]
        self._checks = [_Check(check) for check in image.checks]
        self._ready = True

    def miss(self, value: Any, standing: int) -> Entry:
        """Entry of a value that is not in ``cache``, exact for the rows in ``standing`` (those that other fields have left).

        A text is worked out whole and kept when it comes a second time: most texts that come once never come again.
        """
        self.hits_missed += 1
        if not self._ready:
            self._prepare()
        if isinstance(value, str):
            if len(value) > MAX_CACHED_LENGTH:
                return self._work_out(value, standing)
            mark = hash(value)
            if self._large and mark not in self._seen:
                if len(self._seen) >= 4 * MAX_CACHED:
                    self._seen.clear()
                self._seen.add(mark)
                return self._work_out(value, standing)
            entry = self._work_out(value, self._every_row)
            self._keep(value, entry)
            return entry
        if isinstance(value, list):
            return self._work_out_all(texts_of(value) or ())
        if value == 0 or value == 1:  # 1, 1.0 and True are one key for a dict, but not one text
            key = (type(value).__name__, value)
            entry = self._numbers.get(key) or self._work_out(text_of(value), self._every_row)
            self._numbers[key] = entry
            return entry
        entry = self._work_out(text_of(value), self._every_row)
        self._keep(value, entry)
        return entry

    def _keep(self, value: Any, entry: Entry) -> None:
        if len(self.cache) >= MAX_CACHED:
            self.cache.clear()
            self._shared.clear()
            self._preset()
        self.cache[value] = self._shared.setdefault(entry, entry)

    # --- working out --------------------------------------------------------------------------------------------------------

    def _found(self, lowered: str) -> list[int]:
        """Numbers of the effects of the texts that are in a value."""
        image = self._image
        found = (
            list(map(image.literal_effects.__getitem__, self._scan_literals(lowered))) if self._scan_literals is not None else []
        )
        effect = image.exact.get(lowered)
        if effect is not None:
            found.append(effect)
        for length, table in image.prefixes.get(lowered[0], ()):
            effect = table.get(lowered[:length])
            if effect is not None:
                found.append(effect)
        for length, table in image.suffixes.get(lowered[-1], ()):
            effect = table.get(lowered[-length:])
            if effect is not None:
                found.append(effect)
        return found

    def _meaning(self, found: frozenset[int], regexes: tuple[int, ...], standing: int) -> _Meaning:
        """What findings mean for the rows in ``standing``; for other rows it may leave out anything."""
        key = (standing, found, regexes)
        known = self._meanings.get(key)
        if known is not None:
            return known
        singles, clauses = self.nothing_found
        checks = dict.fromkeys(self._image.always)
        by_regex = self._image.regex_effects
        for number in (*found, *(by_regex[regex] for regex in regexes if regex in by_regex)):
            effect = self._effects[number]
            if effect[2] & standing:
                singles |= effect[0]
                clauses |= effect[1]
                checks.update(dict.fromkeys(effect[3]))
        wanted = tuple(check for check in map(self._checks.__getitem__, checks) if check.rows & standing)
        for check in wanted:
            if check.test is None:
                check.test = compile_check(decode_node(self._image.nodes[check.node]), self._regex_numbers)
        if len(self._meanings) >= MAX_FINDINGS:
            self._meanings.clear()
        meaning = self._meanings[key] = singles, clauses, wanted
        return meaning

    def _work_out(self, value: str, standing: int) -> Entry:
        if not value:
            return self._empty
        lowered = value.lower()
        regexes = self._scan_regexes(value) if self._has_regexes else []
        singles, clauses, checks = self._meaning(frozenset(self._found(lowered)), tuple(regexes), standing)
        for check in checks:
            assert check.test is not None
            truth = check.test(lowered, value, regexes)
            if truth is not check.default:
                if truth:
                    singles |= check.singles
                    clauses |= check.clauses
                else:
                    singles &= ~check.singles
                    clauses &= ~check.clauses
        return singles, clauses

    def _work_out_all(self, texts: tuple[str, ...]) -> Entry:
        """Entry of a list: each predicate holds where it holds for any element."""
        if "" in texts:
            if not any(texts):
                return self._empty
            if self._image.empty_counts:
                return self._exactly(texts)
            texts = tuple(filter(None, texts))
        if len(texts) < 2:
            return self._work_out(texts[0], self._every_row) if texts else self._exactly(texts)
        found: set[int] = set()
        regexes: set[int] = set()
        for text in texts:
            found.update(self._found(text.lower()))
            if self._has_regexes:
                regexes.update(self._scan_regexes(text))
        singles, clauses, checks = self._meaning(frozenset(found), tuple(sorted(regexes)), self._every_row)
        for check in checks:
            truth = on_texts(decode_node(self._image.nodes[check.node]), texts)
            if truth is not check.default:
                if truth:
                    singles |= check.singles
                    clauses |= check.clauses
                else:
                    singles &= ~check.singles
                    clauses &= ~check.clauses
        return singles, clauses

    def _exactly(self, texts: tuple[str, ...]) -> Entry:
        singles, clauses = unpack(self._image.free), 0
        for one_singles, one_clauses, node in self._image.subtrees:
            if on_texts(decode_node(self._image.nodes[node]), texts):
                singles |= unpack(one_singles)
                clauses |= unpack(one_clauses)
        return singles, clauses


def _entry(image: tuple[bytes, bytes]) -> Entry:
    return unpack(image[0]), unpack(image[1])
