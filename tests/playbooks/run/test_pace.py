"""Commands are begun ahead of the workers only while commands are quick."""

from __future__ import annotations

import time

from playbooks.actions.contract import Request
from playbooks.model import Command
from playbooks.run.pace import QUICK, SLOW, Pace
from playbooks.run.workers import Task


def task(lasted: float = 0.0) -> Task:
    made = Task(1, "1.0.0", 1, Request(key="k", step_id="s", command=Command(type="bash", command="true")), 10)
    made.began = time.monotonic() - lasted if lasted else 0.0
    return made


def test_nothing_is_begun_ahead_until_commands_have_shown_to_be_quick() -> None:
    pace = Pace(workers=8, ahead=6)
    assert pace.room([]) == 8
    for _ in range(20):
        pace.came_back(task(QUICK / 10))
    assert pace.room([]) == 48
    assert pace.room([task(QUICK / 10)] * 8) == 40


def test_one_that_takes_long_stops_it_at_once_and_slow_ones_for_a_while() -> None:
    pace = Pace(workers=8, ahead=6)
    for _ in range(20):
        pace.came_back(task(QUICK / 10))
    assert pace.room([task(2 * SLOW), task(), task()]) == 5
    assert pace.room([task()] * 20) == 28
    for _ in range(3):
        pace.came_back(task(30 * SLOW))
    assert pace.room([task()] * 20) == -12
