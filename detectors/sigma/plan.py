"""The plan of a class of events: which rules fire for given field values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Const, FieldRef, Match, Node, fields_of
from detectors.sigma.evaluate import evaluate
from detectors.sigma.plan_build import layer_offsets
from detectors.sigma.plan_image import PlanImage
from detectors.sigma.table import MISSING, FieldTable
from detectors.sigma.values import texts_of

DEAR = 400  # price of a table (see TableImage.cost) before which it pays to strike out dead rows

Get = Callable[[str], Any]
"""Bound field → value as the event has it; ``MISSING`` where it has none."""


class Plan:
    """Rows of the class's rules and a table for each field that they look at.

    keywords   keyword predicates of the rules
    deep       rows with more than one clause (their bits of the further layers are above those of the first)
    no_clause  bits of the first layer of rows that have no clause
    """

    def __init__(self, image: PlanImage, artifacts: Artifacts) -> None:
        self.keywords = image.keywords
        self.row_rules = image.row_rules
        self.count = len(image.row_rules)
        self.all_rows = (1 << self.count) - 1
        self.has_clauses = bool(image.widths)
        self.no_clause = self.all_rows & ~((1 << image.widths[0]) - 1) if image.widths else 0
        self.deep = (1 << image.widths[1]) - 1 if len(image.widths) > 1 else 0
        offsets = layer_offsets(self.count, image.widths)
        self._layers = [(offset, ~((1 << width) - 1)) for offset, width in zip(offsets[1:], image.widths[1:], strict=True)]
        self._rest = {1 << row: nodes for row, nodes in image.rest}
        self.tables = [FieldTable(table, self.count, artifacts) for table in image.tables]
        self.pending = self._pending()
        self.rest_fields = frozenset(field for nodes in self._rest.values() for node in nodes for field in fields_of(node))
        self.candidates = 0

    def _pending(self) -> dict[int, int]:
        """Position of a dear table → clauses that it or a later one may still fulfil. A row with another one open is dead."""
        pending: dict[int, int] = {}
        later = 0
        for position in range(len(self.tables) - 1, 0, -1):
            later |= self.tables[position].clause_bits
            if self.has_clauses and self.tables[position].cost > DEAR:
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
        if not self.has_clauses:
            return singles
        singles &= clauses
        if singles & self.deep:
            for offset, shallower in self._layers:
                singles &= (clauses >> offset) | shallower
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
            for node in self._rest.get(low, ()):
                if not _holds(node, get):
                    break
            else:
                fired.add(rule)
        return sorted(fired)


def _holds(node: Node, get: Get) -> bool:
    if isinstance(node, Match) and isinstance(node.predicate, FieldRef):
        predicate = node.predicate
        value, other = get(node.field), get(predicate.other)
        if isinstance(value, str) and isinstance(other, str) and not (predicate.start or predicate.end):
            return value.lower() == other.lower()  # nearly all there are
    return evaluate(node, lambda field: texts_of(_present(get(field))))


def _present(value: Any) -> Any:
    return None if value is MISSING else "" if value is None else value


def is_possible(tree: Node) -> bool:
    """False for a tree that the class's envelope has made false."""
    return not (isinstance(tree, Const) and not tree.value)
