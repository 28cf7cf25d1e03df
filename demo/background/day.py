"""Puts the scenes of all layers in order of time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from datetime import datetime
from itertools import count

from demo.background import applications, citizens, cloud, office, operations, perception
from demo.background.rhythm import Clock
from demo.background.scene import Habit
from demo.city import City
from demo.plan import Build, Planned, Route

HABITS: tuple[Habit, ...] = (
    *perception.HABITS,
    *office.HABITS,
    *cloud.HABITS,
    *applications.HABITS,
    *citizens.HABITS,
    *operations.HABITS,
)


def background(city: City, rng: random.Random, start: datetime, share: float = 1.0) -> Iterator[Planned]:
    """Endless benign records in order of time, ``after`` in seconds since ``start``.

    share  how much of the city's traffic: 1.0 is all of it, some 45 records a second on a working day's morning
    """
    weights = [habit.per_hour for habit in HABITS]
    total = sum(weights)
    cumulative = [sum(weights[: index + 1]) for index in range(len(weights))]
    per_second = total * share / 3600
    awake, clock, order = Clock(start).awake, 0.0, count()
    waiting: list[tuple[float, int, Route, Build]] = []
    while True:
        clock += rng.expovariate(per_second)
        while waiting and waiting[0][0] <= clock:
            after, _, route, build = heapq.heappop(waiting)
            yield Planned(after, route, build)
        habit = rng.choices(HABITS, cum_weights=cumulative)[0]
        if rng.random() >= awake(habit.rhythm, clock):
            continue
        for delay, route, build in habit.make(city, rng):
            heapq.heappush(waiting, (clock + delay, next(order), route, build))
