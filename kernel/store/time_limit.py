"""How long questions to a store may take, where who asks has less time than the store has patience.

    with within(20):
        store.top(…)
        store.field_statistics(…)      # both together

It is bound to the thread that asks, so no call of the store's contract has a parameter more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kernel.errors import QueryError
from kernel.store import stopping

_limit: ContextVar[tuple[float, float] | None] = ContextVar("time limit", default=None)  # seconds, and when they are over


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Questions asked within this take at most ``seconds`` together; then they raise QueryError."""
    token = _limit.set((seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _limit.reset(token)


def time_left(patience: float) -> float:
    """Seconds that the next question may take: the store's ``patience``, or less.

    Raises QueryError when the time is over, SearchEnded where nobody waits for the answer.
    """
    stopping.check()
    limit = _limit.get()
    if limit is None:
        return patience
    left = limit[1] - time.monotonic()
    if left <= 0:
        raise too_long(patience)
    return min(patience, left)


def too_long(patience: float) -> QueryError:
    """What a question that was ended raises; SearchEnded itself where nobody waits for the answer."""
    stopping.check()
    limit = _limit.get()
    seconds = patience if limit is None else min(patience, limit[0])
    return QueryError(f"the query took longer than {seconds:g} s", "ask for a shorter time range or fewer conditions")
