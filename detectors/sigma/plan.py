"""The plan of a class of events: which rules fire for given field values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Const, Node, fields_of
from detectors.sigma.evaluate import evaluate
from detectors.sigma.rows import MAX_CLAUSES, Row, rows_of
from detectors.sigma.table import MISSING, FieldTable, Subtree
from detectors.sigma.values import texts_of

DEAR = 400  # price of a table (see FieldTable.cost) before which it pays to strike out dead rows

Get = Callable[[str], Any]
"""Bound field → value as the event has it; ``MISSING`` where it has none."""


class Plan:
    """Rows of the class's rules and a table for each field that they look at.

    ``rules`` are numbers of the engine's rules that exist for this class, ``trees`` their bound trees.
    """

    def __init__(self, rules: Sequence[int], trees: Sequence[Node], artifacts: Artifacts) -> None:
        self.trees = dict(zip(rules, trees, strict=True))
        rows: list[tuple[int, Row]] = [(rule, row) for rule, tree in self.trees.items() for row in rows_of(tree)]
        self.rules = sorted(self.trees)
        self.row_rules = [rule for rule, _ in rows]
        self.count = len(rows)
        self.all_rows = (1 << self.count) - 1
        self.layers = max((len(row.clauses) for _, row in rows), default=0)
        self.no_clause = self._rows_without_clause(rows)
        self._rest = {1 << number: row.rest for number, (_, row) in enumerate(rows) if row.rest}
        self.tables = self._tables(rows, artifacts)
        self.pending = self._pending()
        self.rest_fields = frozenset(field for nodes in self._rest.values() for node in nodes for field in fields_of(node))
        self.candidates = 0

    def _rows_without_clause(self, rows: list[tuple[int, Row]]) -> int:
        bits = 0
        for number, (_, row) in enumerate(rows):
            for layer in range(len(row.clauses), min(self.layers, MAX_CLAUSES)):
                bits |= 1 << (layer * self.count + number)
        return bits

    def _tables(self, rows: list[tuple[int, Row]], artifacts: Artifacts) -> list[FieldTable]:
        subtrees: dict[str, dict[Node, Subtree]] = {}
        bound: dict[str, int] = {}
        concerned: dict[str, int] = {}

        def subtree(field: str, node: Node) -> Subtree:
            known = subtrees.setdefault(field, {})
            return known.setdefault(node, Subtree(node)) if node not in known else known[node]

        for number, (_, row) in enumerate(rows):
            bit = 1 << number
            for field, node in row.single.items():
                subtree(field, node).singles |= bit
                bound[field] = bound.get(field, 0) | bit
                concerned[field] = concerned.get(field, 0) | bit
            for layer, clause in enumerate(row.clauses):
                for field, node in clause.items():
                    subtree(field, node).clauses |= bit << (layer * self.count)
                    concerned[field] = concerned.get(field, 0) | bit
        tables = [
            FieldTable(field, self.count, self.all_rows & ~bound.get(field, 0), concerned[field], list(known.values()), artifacts)
            for field, known in subtrees.items()
        ]
        # the field that rules out most rows at the least price first: often nothing is left after two or three
        tables.sort(key=lambda table: -bound.get(table.field, 0).bit_count() / table.cost)
        return tables

    def _pending(self) -> dict[int, int]:
        """Position of a dear table → clauses that it or a later one may still fulfil. A row with another one open is dead."""
        pending: dict[int, int] = {}
        later = 0
        for position in range(len(self.tables) - 1, 0, -1):
            later |= self.tables[position].clause_bits
            if self.layers and self.tables[position].cost > DEAR:
                pending[position] = later
        return pending

    def match(self, get: Get) -> list[int]:
        """Numbers of the rules that fire (ascending)."""
        singles, clauses = self.all_rows, self.no_clause
        for position, table in enumerate(self.tables):
            if not singles & table.concerns:
                continue
            if position in self.pending:
                singles = self.fulfilled(singles, clauses | self.pending[position])
            value = get(table.field)
            try:
                entry = table.cache[value]
            except (KeyError, TypeError):
                entry = table.miss(value, singles)
            singles &= entry[0]
            if not singles:
                return []
            clauses |= entry[1]
        return self.report(self.fulfilled(singles, clauses), get)

    def fulfilled(self, singles: int, clauses: int) -> int:
        """The rows of ``singles`` all of whose clauses are in ``clauses``."""
        for _ in range(self.layers):
            singles &= clauses
            clauses >>= self.count
        return singles

    def report(self, singles: int, get: Get) -> list[int]:
        """Rules of the rows whose clauses all hold, once the rest of those rows is tested."""
        fired: set[int] = set()
        while singles:
            low = singles & -singles
            singles ^= low
            rule = self.row_rules[low.bit_length() - 1]
            if rule in fired:
                continue
            self.candidates += 1
            rest = self._rest.get(low)
            if rest is None or all(evaluate(node, lambda field: texts_of(_present(get(field)))) for node in rest):
                fired.add(rule)
        return sorted(fired)


def _present(value: Any) -> Any:
    return None if value is MISSING else "" if value is None else value


def is_possible(tree: Node) -> bool:
    """False for a tree that the class's envelope has made false."""
    return not (isinstance(tree, Const) and not tree.value)
