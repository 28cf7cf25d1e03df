"""One-field subtrees → the image of a table: what to look for in a value, and what each finding means."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import CONTAINS, EXACT, GLOB, PREFIX, SUFFIX, Const, Exists, Match, Node, Not, Null, Or, Regex, Text
from detectors.sigma.automata import regex_scan
from detectors.sigma.evaluate import on_texts
from detectors.sigma.plan_image import CheckImage, EffectImage, Ends, TableImage, encode_node, pack
from detectors.sigma.predicates import holds
from detectors.sigma.triggers import ALWAYS, Numbers, Trigger, assume_absent, count_uses, triggers_of


class Subtree:
    """A distinct one-field subtree and the bits it stands for; ``rows``: rows that have any of these bits."""

    __slots__ = ("clauses", "node", "rows", "singles")

    def __init__(self, node: Node, singles: int = 0, clauses: int = 0, rows: int = 0) -> None:
        self.node = node
        self.singles = singles
        self.clauses = clauses
        self.rows = rows


class _Effect:
    """What a finding means."""

    __slots__ = ("checks", "clauses", "rows", "singles")

    def __init__(self) -> None:
        self.singles = 0
        self.clauses = 0
        self.rows = 0
        self.checks: dict[int, None] = {}

    def image(self) -> EffectImage:
        return EffectImage(pack(self.singles), pack(self.clauses), pack(self.rows), tuple(self.checks))


def build_table(field: str, free: int, concerns: int, subtrees: list[Subtree], artifacts: Artifacts) -> TableImage:
    """See :class:`TableImage` for ``free`` and ``concerns``."""
    return _Builder(field, subtrees, artifacts).image(free, concerns)


class _Builder:
    def __init__(self, field: str, subtrees: list[Subtree], artifacts: Artifacts) -> None:
        self._field = field
        self._subtrees = subtrees
        self._nodes: dict[Node, int] = {}
        self._checks: list[CheckImage] = []
        self._always: dict[int, None] = {}
        self._effects: dict[Trigger, _Effect] = {}
        self._patterns = sorted({(leaf.pattern, leaf.flags) for subtree in subtrees for leaf in _regexes(subtree.node)})
        refused = set(regex_scan(self._patterns, artifacts)[1])
        self._regex_numbers = {pattern: number for number, pattern in enumerate(self._patterns) if number not in refused}
        self._numbers = Numbers(self._regex_numbers, {})
        for subtree in subtrees:
            count_uses(subtree.node, self._numbers.uses)

    def image(self, free: int, concerns: int) -> TableImage:
        base_singles, base_clauses, clause_bits = free, 0, 0
        for subtree in self._subtrees:
            clause_bits |= subtree.clauses
            if assume_absent(subtree.node):
                base_singles |= subtree.singles
                base_clauses |= subtree.clauses
                self._watch(subtree, True, triggers_of(subtree.node, False, self._numbers))
            else:
                self._place(subtree)
        table = TableImage(
            field=self._field,
            free=pack(free),
            concerns=pack(concerns),
            clause_bits=pack(clause_bits),
            base=(pack(base_singles), pack(base_clauses)),
            missing=self._exactly(None, free),
            empty=self._exactly(("",), free),
            effects=[],
            literals=[],
            literal_effects=[],
            exact={},
            prefixes={},
            suffixes={},
            patterns=self._patterns,
            regex_effects={},
            checks=self._checks,
            always=list(self._always),
            empty_counts=any(_holds_for_empty(one.node) for one in self._subtrees),
            subtrees=[(pack(one.singles), pack(one.clauses), self._number(one.node)) for one in self._subtrees],
            nodes=[],
        )
        self._arrange(table)
        table.nodes = [encode_node(node) for node in self._nodes]
        return table

    def _exactly(self, texts: tuple[str, ...] | None, free: int) -> tuple[bytes, bytes]:
        singles, clauses = free, 0
        for subtree in self._subtrees:
            if on_texts(subtree.node, texts):
                singles |= subtree.singles
                clauses |= subtree.clauses
        return pack(singles), pack(clauses)

    def _number(self, node: Node) -> int:
        return self._nodes.setdefault(node, len(self._nodes))

    def _place(self, subtree: Subtree) -> None:
        """Branches of a disjunction that one trigger decides set the bits at once; each of the others is watched by itself."""
        for branch in subtree.node.nodes if isinstance(subtree.node, Or) else (subtree.node,):
            trigger = _decisive(branch, self._regex_numbers)
            if trigger is None:
                part = Subtree(branch, subtree.singles, subtree.clauses, subtree.rows)
                self._watch(part, False, triggers_of(branch, True, self._numbers))
            else:
                effect = self._effects.setdefault(trigger, _Effect())
                effect.singles |= subtree.singles
                effect.clauses |= subtree.clauses
                effect.rows |= subtree.rows

    def _watch(self, subtree: Subtree, default: bool, triggers: Iterable[Trigger]) -> None:
        triggers = set(triggers)
        if not triggers:
            return
        check = len(self._checks)
        bits = (pack(subtree.singles), pack(subtree.clauses), pack(subtree.rows))
        self._checks.append(CheckImage(*bits, default, self._number(subtree.node)))
        if ALWAYS in triggers:
            self._always[check] = None
            return
        for trigger in triggers:
            effect = self._effects.setdefault(trigger, _Effect())
            effect.rows |= subtree.rows
            effect.checks[check] = None

    def _arrange(self, table: TableImage) -> None:
        numbers: dict[EffectImage, int] = {}
        prefixes: dict[str, dict[int, dict[str, int]]] = {}
        suffixes: dict[str, dict[int, dict[str, int]]] = {}
        in_order = sorted(self._effects.items(), key=lambda item: (item[0][0], str(item[0][1])))  # same order, same cache key
        for (kind, key), effect in in_order:
            number = numbers.setdefault(effect.image(), len(numbers))  # texts that mean the same are told by one number
            if kind == CONTAINS:
                table.literals.append(str(key))
                table.literal_effects.append(number)
            elif kind == EXACT:
                table.exact[str(key)] = number
            elif kind == PREFIX:
                prefixes.setdefault(str(key)[0], {}).setdefault(len(str(key)), {})[str(key)] = number
            elif kind == SUFFIX:
                suffixes.setdefault(str(key)[-1], {}).setdefault(len(str(key)), {})[str(key)] = number
            else:
                table.regex_effects[int(key)] = number
        table.effects = list(numbers)
        table.prefixes, table.suffixes = _ends(prefixes), _ends(suffixes)


def _ends(tables: dict[str, dict[int, dict[str, int]]]) -> Ends:
    """By first (last) character, then by length: few look-ups for a value whose end is nothing special."""
    return {char: sorted(lengths.items()) for char, lengths in tables.items()}


def _regexes(node: Node) -> list[Regex]:
    if isinstance(node, Match):
        return [node.predicate] if isinstance(node.predicate, Regex) else []
    if isinstance(node, Const):
        return []
    if isinstance(node, Not):
        return _regexes(node.node)
    return [leaf for one in node.nodes for leaf in _regexes(one)]


def _holds_for_empty(node: Node) -> bool:
    """True where a predicate asks for more than presence and the empty text fulfils it."""
    if isinstance(node, Match):
        predicate = node.predicate
        if isinstance(predicate, (Null, Exists)) or (
            isinstance(predicate, Text) and not predicate.text and predicate.kind == CONTAINS
        ):
            return False  # with another element in the list, an empty one changes nothing
        return holds(predicate, ("",))
    if isinstance(node, Const):
        return False
    if isinstance(node, Not):
        return _holds_for_empty(node.node)
    return any(map(_holds_for_empty, node.nodes))


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
