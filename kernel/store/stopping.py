"""Ending questions to a store that nobody waits for any more.

    with unless(gone):                 # gone() is asked some times a second while a question runs
        store.search(…)                # raises SearchEnded soon after gone() is true

Like the time limit it is bound to the thread that asks, so no call of the store's contract has a parameter more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kernel.errors import QueryError

LOOK_SECONDS = 0.2
"""How often a running question looks whether somebody still waits for it."""

Gone = Callable[[], bool]
_gone: ContextVar[Gone | None] = ContextVar("gone", default=None)


class SearchEnded(QueryError):
    """The one who asked went away, or ended the search."""

    def __init__(self) -> None:
        super().__init__("the search was ended", "nobody waits for its answer any more")


@contextmanager
def unless(gone: Gone) -> Iterator[None]:
    """Questions asked within this end when ``gone()`` becomes true. It is called from other threads and must be quick."""
    token = _gone.set(gone)
    try:
        yield
    finally:
        _gone.reset(token)


def current() -> Gone | None:
    """What this thread's questions depend on, for a thread that watches over one of them."""
    return _gone.get()


def check() -> None:
    """Raises SearchEnded where nobody waits any more."""
    gone = _gone.get()
    if gone is not None and gone():
        raise SearchEnded


@contextmanager
def calling(end: Callable[[], None], seconds: float | None = None) -> Iterator[None]:
    """``end`` is called while this runs, again and again, once nobody waits any more or ``seconds`` are over.

    It is called from a thread of its own, and never after this was left.
    """
    gone, done = _gone.get(), threading.Event()
    if gone is None and seconds is None:
        yield
        return
    watch = threading.Thread(target=_watch, args=(end, done, gone, seconds), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def _watch(end: Callable[[], None], done: threading.Event, gone: Gone | None, seconds: float | None) -> None:
    left = float("inf") if seconds is None else seconds
    while True:
        step = left if gone is None else min(left, LOOK_SECONDS)
        if done.wait(max(step, 0)):
            return
        left -= step
        if left <= 0 or (gone is not None and gone()):
            break
    while True:  # once may be too early: DuckDB forgets an interruption that comes while a statement is still being planned
        end()
        if done.wait(LOOK_SECONDS):
            return
