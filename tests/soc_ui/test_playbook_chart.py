"""Flow charts of playbooks: every step has its place, none lies on another, and hostile flows end."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from playbooks.library import load
from playbooks.model import End, Playbook, Start
from playbooks.reading import read
from soc_ui.playbooks.chart import GAP, HEIGHT, MOST_DRAWN, WIDTH, Chart, chart_of
from tests.playbooks.documents import END, FIRST, START, document, octets, uuid

CONFORMANCE = sorted((Path(__file__).parents[1] / "playbooks" / "conformance").glob("*[a-z].json"))
DOCUMENTS = [*load(), *(read(path.read_bytes()) for path in CONFORMANCE)]


def seen(playbook: Playbook) -> set[str]:
    return {key for key, step in playbook.workflow.items() if step.name or not isinstance(step, Start | End)}


@pytest.mark.parametrize("playbook", DOCUMENTS, ids=lambda one: one.name)
def test_every_step_has_a_place_of_its_own(playbook: Playbook) -> None:
    chart = chart_of(playbook)
    if not seen(playbook):
        assert chart is None
        return
    assert chart is not None
    assert {box.step_id for box in chart.boxes} == seen(playbook)
    places = {(box.x, box.y) for box in chart.boxes}
    assert len(places) == len(chart.boxes)
    columns = sorted({box.x for box in chart.boxes})
    rows = sorted({box.y for box in chart.boxes})
    assert all(right - left >= WIDTH + GAP for left, right in itertools.pairwise(columns))
    assert all(below - above > HEIGHT for above, below in itertools.pairwise(rows))
    assert chart.width >= columns[-1] + WIDTH
    assert chart.height >= rows[-1] + HEIGHT


@pytest.mark.parametrize("playbook", load(), ids=lambda one: one.name)
def test_no_straight_way_goes_through_a_box(playbook: Playbook) -> None:
    chart = chart_of(playbook)
    assert chart is not None
    corners = {box.step_id: (box.x, box.y) for box in chart.boxes}
    for line in chart.lines:
        (x, y), (to_x, to_y) = corners[line.source], corners[line.target]
        if to_x != x or to_y < y:
            continue
        between = [box for box in chart.boxes if box.x == x and y < box.y < to_y]
        assert between == [], line


def flow(steps: dict[str, Any]) -> Chart | None:
    made = document(workflow={START: {"type": "start", "on_completion": FIRST}, **steps})
    return chart_of(read(octets(made)))


def test_circles_end() -> None:
    other = f"action--{uuid(9)}"
    chart = flow(
        {
            FIRST: {"type": "action", "on_completion": other, "on_failure": FIRST},
            other: {"type": "action", "on_completion": FIRST},
            END: {"type": "end", "name": "x"},
        }
    )
    assert chart is not None
    assert len(chart.boxes) == 3
    assert all(re.fullmatch(r"[MHV0-9 ]+", line.path) for line in chart.lines)


def test_what_leads_nowhere_leads_nowhere() -> None:
    chart = flow({FIRST: {"type": "parallel", "next_steps": ["action--none", FIRST], "on_completion": "action--none"}})
    assert chart is not None
    assert [box.step_id for box in chart.boxes] == [FIRST]


def test_the_deepest_and_the_largest() -> None:
    ids = [f"if-condition--{uuid(1000 + number)}" for number in range(MOST_DRAWN - 1)]
    nested = {
        step: {"type": "if-condition", "condition": "", "on_true": following}
        for step, following in zip([FIRST, *ids], [*ids, END], strict=True)
    }
    assert flow({**nested, END: {"type": "end"}}) is None  # one too many
    nested.popitem()
    chart = flow(nested)
    assert chart is not None
    assert len(chart.boxes) == MOST_DRAWN - 1
