"""A playbook as a flow chart: where each step stands and how the lines between them run. Numbers only, no words.

Steps that follow each other stand below one another; the branches of a step, and the way after its failure, stand to its right.
So every line is a step down, or goes to the right and then down. Beginnings and ends without a name are left out. It is drawn on
the server, as the map of zones is: it needs no script, takes the colours of the page, and its boxes are links that a keyboard
reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from playbooks.model import End, Playbook, Start, Step

MOST_DRAWN = 300
"""Steps; a larger playbook is shown as a list only."""
WIDTH, HEIGHT, GAP, DROP, MARGIN = 184, 46, 26, 20, 8
_COLUMN, _ROW = WIDTH + GAP, HEIGHT + DROP


class Box(msgspec.Struct, frozen=True):
    """A step with the place of its upper left corner."""

    step_id: str
    x: int
    y: int


class Line(msgspec.Struct, frozen=True):
    """A way from step to step. ``kind``: next | branch | failure; ``path``: of SVG."""

    kind: str
    path: str
    source: str
    target: str


class Chart(msgspec.Struct, frozen=True):
    """The whole picture, in pixels."""

    boxes: list[Box]
    lines: list[Line]
    width: int
    height: int


def chart_of(playbook: Playbook) -> Chart | None:
    """The picture; None where the playbook has no steps or more than MOST_DRAWN."""
    if not 0 < len(playbook.workflow) <= MOST_DRAWN:
        return None
    layout = _Layout(playbook.workflow)
    layout.place_all((playbook.workflow_start, playbook.workflow_exception, *playbook.workflow))
    return layout.chart()


class _Layout:
    def __init__(self, workflow: dict[str, Step]) -> None:
        self._workflow = workflow
        self._cells: dict[str, tuple[int, int]] = {}  # step → column, row
        self._taken: set[str] = set()

    def place_all(self, firsts: Iterable[str]) -> None:
        """Everything that can be reached from ``firsts``, each beside what is there already."""
        column = 0
        for first in firsts:
            if first in self._workflow and first not in self._taken:
                column = self._place(first, column, 0)[0] + 1

    def chart(self) -> Chart | None:
        """What was placed, in pixels; None where nothing is to be seen."""
        if not self._cells:
            return None
        boxes = [Box(step, MARGIN + x * _COLUMN, MARGIN + y * _ROW) for step, (x, y) in self._cells.items()]
        corners = {box.step_id: (box.x, box.y) for box in boxes}
        lines = [_line(kind, source, target, corners) for kind, source, target in self._ways()]
        right, bottom = max(box.x for box in boxes), max(box.y for box in boxes)
        return Chart(boxes, lines, right + WIDTH + MARGIN, bottom + HEIGHT + MARGIN)

    def _place(self, first: str, column: int, row: int) -> tuple[int, int]:
        """Place a chain of steps with all that hangs on it; returns its last column and the row below it."""
        chain, right = self._chain(first), column
        for step_id in chain:
            step = self._workflow[step_id]
            below, beside = row, column + 1
            if step.name or not isinstance(step, Start | End):
                self._cells[step_id] = (column, row)
                below += 1
            for _kind, target in self._beside(step):
                if target in self._workflow and target not in self._taken:
                    end, bottom = self._place(target, beside, row + 1)
                    below = max(below, bottom)
                    if target in self._cells:
                        beside, right = end + 1, max(right, end)
            row = below
        return right, row

    def _chain(self, first: str) -> list[str]:
        chain: list[str] = []
        step_id = first
        while step_id in self._workflow and step_id not in self._taken:
            self._taken.add(step_id)
            chain.append(step_id)
            step = self._workflow[step_id]
            step_id = step.on_completion or step.on_success
        return chain

    @staticmethod
    def _beside(step: Step) -> Iterator[tuple[str, str]]:
        for _name, target in step.branches():
            yield "branch", target
        if step.on_failure and step.on_failure != step.on_success:
            yield "failure", step.on_failure

    def _ways(self) -> Iterator[tuple[str, str, str]]:
        for step_id in self._cells:
            step = self._workflow[step_id]
            follower = step.on_completion or step.on_success
            for kind, target in (("next", follower), *self._beside(step)):
                if target in self._cells:
                    yield kind, step_id, target


def _line(kind: str, source: str, target: str, corners: dict[str, tuple[int, int]]) -> Line:
    (x, y), (to_x, to_y) = corners[source], corners[target]
    middle, to_middle = x + WIDTH // 2, to_x + WIDTH // 2
    edge, level = to_x + WIDTH, to_y + HEIGHT // 2
    if to_y > y and to_x == x:
        path = f"M{middle} {y + HEIGHT}V{to_y}"
    elif to_y > y and to_x > x:
        path = f"M{x + WIDTH} {y + HEIGHT // 2}H{to_middle}V{to_y}"
    elif to_y > y:  # back to the chain that it left
        path = f"M{middle} {y + HEIGHT}V{level}H{edge}"
    else:
        path = f"M{x + WIDTH} {y + HEIGHT // 2}H{max(x + WIDTH, edge) + GAP // 2}V{level}H{edge}"
    return Line(kind, path, source, target)
