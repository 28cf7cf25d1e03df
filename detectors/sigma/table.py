"""One field of a plan: value → which rows it allows.

Every distinct one-field subtree of the plan's rows is *worked out* for a value once and kept. For a value not seen before, the
subtrees that could be true are found by what is in the value (one pass for all literals, one for all regular expressions, hash
look-ups for whole values, beginnings and ends), and only those are evaluated.

An entry is a pair of integers: ``singles`` has bit r where row r does not object to the value; ``clauses`` has bit
``layer * rows + r`` where the value satisfies that clause of row r.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import CONTAINS, EXACT, GLOB, PREFIX, SUFFIX, Const, Match, Node, Not, Or, Regex, Text
from detectors.sigma.automata import literal_scan, regex_scan
from detectors.sigma.evaluate import on_texts
from detectors.sigma.lower import Checker, compile_check
from detectors.sigma.triggers import ALWAYS, Numbers, Trigger, assume_absent, count_uses, triggers_of
from detectors.sigma.values import text_of, texts_of

MISSING = msgspec.UNSET
MAX_CACHED = 60_000  # values kept for one field
MAX_CACHED_LENGTH = 8_192  # longer values (script blocks) hardly come twice

Entry: TypeAlias = tuple[int, int]


class Subtree:
    """A distinct one-field subtree and the bits it stands for."""

    __slots__ = ("check", "clauses", "default", "node", "rows", "singles")

    def __init__(self, node: Node, singles: int = 0, clauses: int = 0) -> None:
        self.node = node
        self.singles = singles
        self.clauses = clauses
        self.rows = 0  # rows that have any of these bits
        self.default = False  # truth for a present value that has none of the triggers
        self.check: Checker | None = None

    def count_rows(self, width: int) -> None:
        """Fold the layers of ``clauses`` (``width`` rows each) into ``rows``."""
        self.rows = self.singles
        layers = self.clauses
        while layers:
            self.rows |= layers & ((1 << width) - 1)
            layers >>= width


class FieldTable:
    """``rows``: how many the plan has; ``free``: those that say nothing about this field in their singles; ``concerns``: those that
    ask about it at all; ``clause_bits``: the clauses that it may fulfil.
    """

    def __init__(self, field: str, rows: int, free: int, concerns: int, subtrees: list[Subtree], artifacts: Artifacts) -> None:
        self.field = field
        self.concerns = concerns
        self.cache: dict[Any, Entry] = {}
        self.hits_missed = 0
        self._numbers: dict[tuple[str, bool | int | float], Entry] = {}
        self._shared: dict[Entry, Entry] = {}
        self._free = free
        self._subtrees = subtrees
        self._every_row = (1 << rows) - 1
        self._large = len(subtrees) > 30
        self._seen: set[int] = set()
        self.clause_bits = 0
        for subtree in subtrees:
            subtree.count_rows(rows)
            self.clause_bits |= subtree.clauses
        self._build(artifacts)
        self.missing = self._exactly(None)
        self._empty = self._exactly(("",))
        self._preset()

    def _preset(self) -> None:
        self.cache[MISSING] = self.missing
        self.cache[None] = self.cache[""] = self._empty

    def _exactly(self, texts: tuple[str, ...] | None) -> Entry:
        singles, clauses = self._free, 0
        for subtree in self._subtrees:
            if on_texts(subtree.node, texts):
                singles |= subtree.singles
                clauses |= subtree.clauses
        return singles, clauses

    @property
    def cost(self) -> int:
        """Rough price of working out a value, in literals to look for."""
        return 50 + len(self._literal_effects) + 10 * len(self._regex_numbers) + 5 * len(self._always)

    @property
    def nothing_found(self) -> Entry:
        """Entry of a present value in which nothing is found."""
        return self._base_singles, self._base_clauses

    def miss(self, value: Any, standing: int) -> Entry:
        """Entry of a value that is not in ``cache``, exact for the rows in ``standing`` (those that other fields have left).

        A text is worked out whole and kept when it comes a second time: most texts that come once never come again.
        """
        self.hits_missed += 1
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
            texts = texts_of(value) or ()
            return self._work_out_all(texts)
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

    # --- building -----------------------------------------------------------------------------------------------------------

    def _build(self, artifacts: Artifacts) -> None:
        self._base_singles, self._base_clauses = self._free, 0
        self._always: list[Subtree] = []
        effects: dict[Trigger, _Effect] = {}
        patterns = sorted({(leaf.pattern, leaf.flags) for subtree in self._subtrees for leaf in _regexes(subtree.node)})
        self._scan_regexes, refused = regex_scan(patterns, artifacts)
        self._regex_numbers = {pattern: number for number, pattern in enumerate(patterns) if number not in set(refused)}
        self._numbers_known = Numbers(self._regex_numbers, {})
        for subtree in self._subtrees:
            count_uses(subtree.node, self._numbers_known.uses)
        for subtree in self._subtrees:
            subtree.default = assume_absent(subtree.node)
            if subtree.default:
                self._base_singles |= subtree.singles
                self._base_clauses |= subtree.clauses
                self._watch(subtree, triggers_of(subtree.node, False, self._numbers_known), effects)
            else:
                self._place(subtree, subtree.node, effects)
        self._arrange(effects, artifacts)

    def _place(self, subtree: Subtree, node: Node, effects: dict[Trigger, _Effect]) -> None:
        """Branches of a disjunction that one trigger decides set the bits at once; each of the others is watched by itself."""
        for branch in node.nodes if isinstance(node, Or) else (node,):
            trigger = _decisive(branch, self._regex_numbers)
            if trigger is None:
                part = Subtree(branch, subtree.singles, subtree.clauses)
                part.rows = subtree.rows
                self._watch(part, triggers_of(branch, True, self._numbers_known), effects)
            else:
                effect = effects.setdefault(trigger, _Effect())
                effect.singles |= subtree.singles
                effect.clauses |= subtree.clauses

    def _watch(self, subtree: Subtree, triggers: Iterable[Trigger], effects: dict[Trigger, _Effect]) -> None:
        triggers = set(triggers)
        if ALWAYS in triggers:
            if subtree not in self._always:
                self._always.append(subtree)
            return
        for trigger in triggers:
            effect = effects.setdefault(trigger, _Effect())
            if subtree not in effect.checks:
                effect.checks.append(subtree)

    def _arrange(self, effects: dict[Trigger, _Effect], artifacts: Artifacts) -> None:
        self._exact: dict[str, _Effect] = {}
        prefixes: dict[str, dict[int, dict[str, _Effect]]] = {}
        suffixes: dict[str, dict[int, dict[str, _Effect]]] = {}
        self._regex_effects: dict[int, _Effect] = {}
        literals: list[str] = []
        self._literal_effects: list[_Effect] = []
        for (kind, key), effect in sorted(
            effects.items(), key=lambda item: (item[0][0], str(item[0][1]))
        ):  # same order, same cache key
            if kind == CONTAINS:
                literals.append(str(key))
                self._literal_effects.append(effect)
            elif kind == EXACT:
                self._exact[str(key)] = effect
            elif kind == PREFIX:
                prefixes.setdefault(str(key)[0], {}).setdefault(len(str(key)), {})[str(key)] = effect
            elif kind == SUFFIX:
                suffixes.setdefault(str(key)[-1], {}).setdefault(len(str(key)), {})[str(key)] = effect
            else:
                self._regex_effects[int(key)] = effect
        self._scan_literals = literal_scan(literals, artifacts) if literals else None
        self._has_regexes = bool(self._regex_numbers)
        # by first (last) character, then by length: few look-ups for a value whose end is nothing special
        self._prefixes = {char: sorted(tables.items()) for char, tables in prefixes.items()}
        self._suffixes = {char: sorted(tables.items()) for char, tables in suffixes.items()}

    # --- working out --------------------------------------------------------------------------------------------------------

    def _found(self, lowered: str, regexes: list[int]) -> list[_Effect]:
        """Effects of everything that is in a value."""
        found: list[_Effect] = []
        effect = self._exact.get(lowered)
        if effect is not None:
            found.append(effect)
        for length, table in self._prefixes.get(lowered[0], ()):
            effect = table.get(lowered[:length])
            if effect is not None:
                found.append(effect)
        for length, table in self._suffixes.get(lowered[-1], ()):
            effect = table.get(lowered[-length:])
            if effect is not None:
                found.append(effect)
        if self._scan_literals is not None:
            effects = self._literal_effects
            found += [effects[number] for number in self._scan_literals(lowered)]
        if regexes:
            regex_effects = self._regex_effects
            found += [regex_effects[number] for number in regexes if number in regex_effects]
        return found

    def _work_out(self, value: str, standing: int) -> Entry:
        if not value:
            return self._empty
        lowered = value.lower()
        regexes = self._scan_regexes(value) if self._has_regexes else []
        singles, clauses = self._base_singles, self._base_clauses
        checks = set(self._always)
        for effect in self._found(lowered, regexes):
            singles |= effect.singles
            clauses |= effect.clauses
            checks.update(effect.checks)
        for subtree in checks:
            if not subtree.rows & standing:
                continue
            check = subtree.check
            if check is None:
                check = subtree.check = compile_check(subtree.node, self._regex_numbers)
            truth = check(lowered, value, regexes)
            if truth is not subtree.default:
                if truth:
                    singles |= subtree.singles
                    clauses |= subtree.clauses
                else:
                    singles &= ~subtree.singles
                    clauses &= ~subtree.clauses
        return singles, clauses

    def _work_out_all(self, texts: tuple[str, ...]) -> Entry:
        """Entry of a list: each predicate holds where it holds for any element."""
        if len(texts) < 2 or "" in texts:
            return self._work_out(texts[0], self._every_row) if len(texts) == 1 else self._exactly(texts)
        singles, clauses = self._base_singles, self._base_clauses
        checks = set(self._always)
        for text in texts:
            regexes = list(self._scan_regexes(text)) if self._has_regexes else []
            for effect in self._found(text.lower(), regexes):
                singles |= effect.singles
                clauses |= effect.clauses
                checks.update(effect.checks)
        for subtree in checks:
            truth = on_texts(subtree.node, texts)
            if truth is not subtree.default:
                if truth:
                    singles |= subtree.singles
                    clauses |= subtree.clauses
                else:
                    singles &= ~subtree.singles
                    clauses &= ~subtree.clauses
        return singles, clauses


class _Effect:
    """What a trigger found in a value means."""

    __slots__ = ("checks", "clauses", "singles")

    def __init__(self) -> None:
        self.singles = 0
        self.clauses = 0
        self.checks: list[Subtree] = []


def _regexes(node: Node) -> list[Regex]:
    if isinstance(node, Match):
        return [node.predicate] if isinstance(node.predicate, Regex) else []
    if isinstance(node, Const):
        return []
    if isinstance(node, Not):
        return _regexes(node.node)
    return [leaf for one in node.nodes for leaf in _regexes(one)]


def _decisive(node: Node, regex_numbers: dict[tuple[str, str], int]) -> Trigger | None:
    """The trigger that is the same as the node, where one is."""
    if not isinstance(node, Match):
        return None
    predicate = node.predicate
    if isinstance(predicate, Text) and not predicate.cased and predicate.kind != GLOB and predicate.text:
        return predicate.kind, predicate.text
    if isinstance(predicate, Regex):
        number = regex_numbers.get((predicate.pattern, predicate.flags))
        return None if number is None else ("regex", number)
    return None
