"""Which keywords could be in a line: one pass over its raw bytes, before anything is decoded.

From each keyword the longest run of characters is taken that every JSON writer leaves as they are. A line without any of these
has no keyword of the rules; a line with one takes the slow path, where the keyword itself is tested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import GLOB, KEYWORDS, Const, Match, Node, Not, Text
from detectors.sigma.automata import byte_literal_scan

_PLAIN_RUN = re.compile(r"[A-Za-z0-9 _.:;,=\-]{3,}")


class KeywordFilter:
    """``scan``: raw line → numbers of the runs that it has."""

    def __init__(self, trees: Iterable[Node], artifacts: Artifacts) -> None:
        runs = sorted({run for tree in trees for leaf in keywords_of(tree) if (run := _run(leaf)) is not None})
        self._numbers = {run: number for number, run in enumerate(runs)}
        self.scan = byte_literal_scan(runs, artifacts)

    def wanted(self, keywords: Iterable[Match]) -> frozenset[int] | None:
        """Numbers that the keywords need; None where one of them cannot be told from the raw line."""
        numbers: set[int] = set()
        for leaf in keywords:
            run = _run(leaf)
            if run is None:
                return None
            numbers.add(self._numbers[run])
        return frozenset(numbers)


def _run(leaf: Match) -> str | None:
    predicate = leaf.predicate
    if not isinstance(predicate, Text):
        return None
    literals = [part[1:] for part in predicate.parts if part[0] == "="] if predicate.kind == GLOB else [predicate.text]
    runs = [run for literal in literals for run in _PLAIN_RUN.findall(literal)]
    return max(runs, key=len).lower() if runs else None


def keywords_of(node: Node) -> list[Match]:
    """Keyword predicates of a tree."""
    if isinstance(node, Match):
        return [node] if node.field == KEYWORDS else []
    if isinstance(node, Const):
        return []
    if isinstance(node, Not):
        return keywords_of(node.node)
    return [leaf for one in node.nodes for leaf in keywords_of(one)]
