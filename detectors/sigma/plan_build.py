"""Bound trees of a class's rules → the plan's image: rows with their bits, a table for each field."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Node
from detectors.sigma.keyword_filter import keywords_of
from detectors.sigma.plan_image import PlanImage
from detectors.sigma.rows import Row, rows_of
from detectors.sigma.table_build import Subtree, build_table


def build_plan(rules: Sequence[int], trees: Sequence[Node], artifacts: Artifacts) -> PlanImage:
    """``rules``: numbers of the engine's rules that exist for the class, ``trees``: their bound trees."""
    rows: list[tuple[int, Row]] = [(rule, row) for rule, tree in zip(rules, trees, strict=True) for row in rows_of(tree)]
    rows.sort(key=lambda pair: -len(pair[1].clauses))  # so that the bits of a deeper layer are few and low
    deepest = max((len(row.clauses) for _, row in rows), default=0)
    widths = [sum(len(row.clauses) > layer for _, row in rows) for layer in range(deepest)]
    plan = PlanImage(
        row_rules=[rule for rule, _ in rows],
        widths=widths,
        rest=[(number, row.rest) for number, (_, row) in enumerate(rows) if row.rest],
        keywords=list(dict.fromkeys(leaf for tree in trees for leaf in keywords_of(tree))),
        tables=[],
    )
    _fill_tables(plan, rows, artifacts)
    return plan


def layer_offsets(rows: int, widths: Sequence[int]) -> list[int]:
    """Where the bits of each layer begin: the first has one for every row, each other one only for the rows that reach it."""
    offsets = [0]
    for width in [rows, *widths[1:]]:
        offsets.append(offsets[-1] + width)
    return offsets[: len(widths)]


def _fill_tables(plan: PlanImage, rows: list[tuple[int, Row]], artifacts: Artifacts) -> None:
    subtrees: dict[str, dict[Node, Subtree]] = {}
    bound: dict[str, int] = {}
    concerned: dict[str, int] = {}
    offsets = layer_offsets(len(rows), plan.widths)

    def subtree(field: str, node: Node, bit: int) -> Subtree:
        known = subtrees.setdefault(field, {})
        one = known.get(node)
        if one is None:
            one = known[node] = Subtree(node)
        one.rows |= bit
        concerned[field] = concerned.get(field, 0) | bit
        return one

    for number, (_, row) in enumerate(rows):
        bit = 1 << number
        for field, node in row.single.items():
            subtree(field, node, bit).singles |= bit
            bound[field] = bound.get(field, 0) | bit
        for offset, clause in zip(offsets, row.clauses, strict=False):
            for field, node in clause.items():
                subtree(field, node, bit).clauses |= bit << offset
    every = (1 << len(rows)) - 1
    plan.tables = [
        build_table(field, every & ~bound.get(field, 0), concerned[field], list(known.values()), artifacts)
        for field, known in subtrees.items()
    ]
    # the field that rules out most rows at the least price first: often nothing is left after two or three
    plan.tables.sort(key=lambda table: -bound.get(table.field, 0).bit_count() / table.cost)
