"""A bound tree → rows: conjunctions that the value tables can decide without looking at the event again.

    rule  = row or row or …
    row   = clause and clause and …
    clause = one-field subtree or one-field subtree … (at most one for each field)

A one-field subtree (any predicates on one field with and/or/not) has a truth for each value of the field, a missing one included,
so it is worked out once for each distinct value. What does not fit (too many clauses, field references) is kept as the row's
*rest*: nodes to be evaluated on the event once all clauses hold.
"""

from __future__ import annotations

import itertools

import msgspec

from detectors.sigma.ast import And, Const, Exists, FieldRef, Match, Node, Not, Or, both, either, negate

MAX_ROWS = 24
MAX_CLAUSES = 4  # clauses over several fields in one row

Clause = dict[str, Node]


class Row(msgspec.Struct):
    """``single``: subtrees that must hold, by field; ``clauses``: each needs one of its subtrees to hold; ``rest``: see above."""

    single: dict[str, Node]
    clauses: list[Clause]
    rest: list[Node] = []


def rows_of(tree: Node) -> list[Row]:
    """Rows of a tree that is not constant (a constant true gives one empty row, false none)."""
    if isinstance(tree, Const):
        return [Row({}, [])] if tree.value else []
    return [_row(clauses, rest) for clauses, rest in _expand(_normal(tree))]


Draft = tuple[list[Clause], list[Node]]


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
    return _only_field(node) is not None


def _only_field(node: Node) -> str | None:
    """The one field that a node looks at; None for several, or where it refers to another one."""
    if isinstance(node, Match):
        return None if isinstance(node.predicate, FieldRef) else node.field
    if isinstance(node, Const):
        return None
    if isinstance(node, Not):
        return _only_field(node.node)
    field = _only_field(node.nodes[0])
    if field is None or any(_only_field(one) != field for one in node.nodes[1:]):
        return None
    return field


def _expand(node: Node) -> list[Draft]:
    field = _only_field(node)
    if field is not None:
        return [([{field: node}], [])]
    if isinstance(node, And):
        return _conjunction(node)
    if isinstance(node, Or):
        return _disjunction(node)
    if isinstance(node, Match) and isinstance(node.predicate, FieldRef):  # true only where both fields are there
        return [([{field: Match(field, Exists(True))} for field in (node.field, node.predicate.other)], [node])]
    return [([], [node])]  # a field reference negated


def _conjunction(node: And) -> list[Draft]:
    parts = [(one, _expand(one)) for one in _by_field(node)]
    parts.sort(key=lambda part: len(part[1]))
    drafts: list[Draft] = [([], [])]
    for one, alternatives in parts:
        if len(drafts) * len(alternatives) > MAX_ROWS:
            alternatives = [_necessary(one, alternatives)]
        drafts = [(clauses + more, rest + extra) for (clauses, rest), (more, extra) in itertools.product(drafts, alternatives)]
    return drafts


def _necessary(node: Node, alternatives: list[Draft]) -> Draft:
    """One draft for too many alternatives: a clause that any of them implies, and the node itself as rest."""
    needed = _common_clause(alternatives)
    return ([needed] if needed else []), [node]


def _by_field(node: And) -> list[Node]:
    """The parts, those on one field joined."""
    joined: dict[str, list[Node]] = {}
    rest: list[Node] = []
    for one in node.nodes:
        field = _only_field(one)
        if field is not None:
            joined.setdefault(field, []).append(one)
        else:
            rest.append(one)
    return [both(nodes) for nodes in joined.values()] + rest


def _disjunction(node: Or) -> list[Draft]:
    atoms: dict[str, list[Node]] = {}
    drafts: list[Draft] = []
    for one in node.nodes:
        field = _only_field(one)
        if field is not None:
            atoms.setdefault(field, []).append(one)
        else:
            drafts += _expand(one)
    if atoms:
        drafts.insert(0, ([{field: either(nodes) for field, nodes in atoms.items()}], []))
    return drafts if len(drafts) <= MAX_ROWS else [_necessary(node, drafts)]


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


def _row(clauses: list[Clause], rest: list[Node]) -> Row:
    single: dict[str, list[Node]] = {}
    several: list[Clause] = []
    for clause in clauses:
        if len(clause) == 1:
            field, subtree = next(iter(clause.items()))
            single.setdefault(field, []).append(subtree)
        else:
            several.append(clause)
    several.sort(key=len)
    rest = rest + [either(list(clause.values())) for clause in several[MAX_CLAUSES:]]
    return Row({field: both(nodes) for field, nodes in single.items()}, several[:MAX_CLAUSES], rest)
