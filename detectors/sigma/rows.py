"""A bound tree → rows: conjunctions that the value tables can decide without looking at the event again.

    rule  = row or row or …
    row   = clause and clause and …
    clause = one-field subtree or one-field subtree … (at most one for each field)

A one-field subtree (any predicates on one field with and/or/not) has a truth for each value of the field, a missing one included, so
it is worked out once for each distinct value. What does not fit (too many clauses, field references) makes the row *loose*: its
clauses are then only necessary and the rule's tree decides.
"""

from __future__ import annotations

import itertools

import msgspec

from detectors.sigma.ast import And, Const, FieldRef, Match, Node, Not, Or, both, either, fields_of, negate

MAX_ROWS = 24
MAX_CLAUSES = 4  # clauses over several fields in one row

Clause = dict[str, Node]


class Row(msgspec.Struct):
    """``single``: the subtrees that must hold, by field; ``clauses``: each needs one of its subtrees to hold."""

    single: dict[str, Node]
    clauses: list[Clause]
    loose: bool = False


def rows_of(tree: Node) -> list[Row]:
    """Rows of a tree that is not constant (a constant true gives one empty row, false none)."""
    if isinstance(tree, Const):
        return [Row({}, [])] if tree.value else []
    return [_row(clauses, loose) for clauses, loose in _expand(_normal(tree))]


Draft = tuple[list[Clause], bool]


def _normal(node: Node) -> Node:
    """Negations pushed down to one-field subtrees."""
    if _is_atom(node) or isinstance(node, Const):
        return node
    if isinstance(node, Not):
        inner = node.node
        if isinstance(inner, Not):
            return _normal(inner.node)
        if isinstance(inner, And):
            return either([_normal(negate(one)) for one in inner.nodes])
        if isinstance(inner, Or):
            return both([_normal(negate(one)) for one in inner.nodes])
        return node
    if isinstance(node, And):
        return both([_normal(one) for one in node.nodes])
    if isinstance(node, Or):
        return either([_normal(one) for one in node.nodes])
    return node


def _is_atom(node: Node) -> bool:
    return len(fields_of(node)) == 1 and not _has_reference(node)


def _has_reference(node: Node) -> bool:
    if isinstance(node, Match):
        return isinstance(node.predicate, FieldRef)
    if isinstance(node, Const):
        return False
    return _has_reference(node.node) if isinstance(node, Not) else any(map(_has_reference, node.nodes))


def _expand(node: Node) -> list[Draft]:
    if _is_atom(node):
        return [([{next(iter(fields_of(node))): node}], False)]
    if isinstance(node, And):
        return _conjunction(node)
    if isinstance(node, Or):
        return _disjunction(node)
    return [([], True)]  # a field reference (or its negation): left to the tree


def _conjunction(node: And) -> list[Draft]:
    parts = [_expand(one) for one in _by_field(node)]
    parts.sort(key=len)
    drafts: list[Draft] = [([], False)]
    for alternatives in parts:
        if len(drafts) * len(alternatives) > MAX_ROWS:
            needed = _common_clause(alternatives)
            alternatives = [([needed] if needed else [], True)]
        drafts = [
            (clauses + more, loose or more_loose) for (clauses, loose), (more, more_loose) in itertools.product(drafts, alternatives)
        ]
    return drafts


def _by_field(node: And) -> list[Node]:
    """The parts, those on one field joined."""
    joined: dict[str, list[Node]] = {}
    rest: list[Node] = []
    for one in node.nodes:
        if _is_atom(one):
            joined.setdefault(next(iter(fields_of(one))), []).append(one)
        else:
            rest.append(one)
    return [both(nodes) for nodes in joined.values()] + rest


def _disjunction(node: Or) -> list[Draft]:
    atoms: dict[str, list[Node]] = {}
    drafts: list[Draft] = []
    for one in node.nodes:
        if _is_atom(one):
            atoms.setdefault(next(iter(fields_of(one))), []).append(one)
        else:
            drafts += _expand(one)
    if atoms:
        drafts.insert(0, ([{field: either(nodes) for field, nodes in atoms.items()}], False))
    if len(drafts) > MAX_ROWS:
        needed = _common_clause(drafts)
        return [([needed] if needed else [], True)]
    return drafts


def _common_clause(alternatives: list[Draft]) -> Clause | None:
    """A clause that holds whenever one of the alternatives does: one clause of each, joined."""
    merged: dict[str, list[Node]] = {}
    for clauses, _ in alternatives:
        if not clauses:
            return None
        chosen = min(clauses, key=lambda clause: (len(clause), len(merged.keys() | clause.keys())))
        for field, subtree in chosen.items():
            merged.setdefault(field, []).append(subtree)
    return {field: either(nodes) for field, nodes in merged.items()}


def _row(clauses: list[Clause], loose: bool) -> Row:
    single: dict[str, list[Node]] = {}
    several: list[Clause] = []
    for clause in clauses:
        if len(clause) == 1:
            field, subtree = next(iter(clause.items()))
            single.setdefault(field, []).append(subtree)
        else:
            several.append(clause)
    several.sort(key=len)
    if len(several) > MAX_CLAUSES:
        several, loose = several[:MAX_CLAUSES], True
    return Row({field: both(nodes) for field, nodes in single.items()}, several, loose)
