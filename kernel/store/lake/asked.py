"""A question to some parts of the lake: the condition of its hits in SQL, with the parameters it needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kernel.errors import QueryError
from kernel.query.tree import And, Node
from kernel.store.contract import TimeRange
from kernel.store.lake.condition import Condition
from kernel.store.lake.source import Part, layout_of


class Asked:
    """``root`` of ``parts`` within a time range; ``condition`` makes further SQL that has parameters."""

    def __init__(self, parts: Sequence[Part], root: Node = And(), when: TimeRange = TimeRange()) -> None:
        self.parts = parts
        self.layout = layout_of(part.segment for part in parts)
        self.condition = Condition(self.layout)
        self.root = root
        self._when = [
            f'"@timestamp" {operator} {self.condition.value(moment(end))}'
            for operator, end in ((">=", when.start), ("<", when.end))
            if end
        ]
        self._known: dict[Node, str] = {}

    @property
    def parameters(self) -> dict[str, object]:
        """The values of all conditions that were made."""
        return self.condition.parameters

    def where(self, part: Part) -> str:
        """Which of its rows are hits: TRUE or FALSE for each, never NULL."""
        node = self.root if part.left is None else part.left
        if node not in self._known:
            self._known[node] = " AND ".join([self.condition.where(node), *self._when])
        return self._known[node]


def moment(text: str) -> datetime:
    """An @timestamp text as SQL takes it: UTC without zone. Raises QueryError."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise QueryError(f"{text[:40]!r} is no time", "write 2026-11-23T04:40:00.000000Z") from error
