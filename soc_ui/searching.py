"""Searches of the event store that run right now: a few an account, and none for somebody who went away.

The console has few threads. Whoever closes the page, presses Cancel or drops the connection of an API call ends the question: the
store is told so within a fraction of a second. The console is one process, so what runs is known here.
"""

from __future__ import annotations

import select
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, Response, current_app, request

from kernel.errors import LiandunError
from kernel.store.stopping import Gone, unless
from operations.accounts.schema import Principal

MOST_AT_ONCE = 3
RETRY_SECONDS = 5
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class TooManySearches(LiandunError):
    """The account has as many searches running as it may."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_AT_ONCE} searches of this account are running already",
            "wait for one, or end it: closing its page or its connection is enough",
        )


class Places:
    """How many searches of each account run; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    def take(self, account: int) -> Callable[[], None]:
        """What gives the place back; a second call of it does nothing. Raises TooManySearches."""
        with self._lock:
            if self._taken[account] >= MOST_AT_ONCE:
                raise TooManySearches
            self._taken[account] += 1
        held = [account]

        def give_back() -> None:
            with self._lock:
                while held:
                    self._taken[held.pop()] -= 1
                self._taken += Counter()  # drops what is nought

        return give_back

    def total(self) -> int:
        """All that run."""
        with self._lock:
            return self._taken.total()


def install(app: Flask) -> None:
    """Places of their own for this application."""
    app.extensions["liandun_searches"] = Places()


@contextmanager
def searching(who: Principal) -> Iterator[None]:
    """Questions asked within this take one place of the account and end when the one who asked goes away.

    Raises TooManySearches; questions then raise kernel.store.stopping.SearchEnded.
    """
    give_back = _places().take(who.user_id)
    try:
        with unless(_hung_up()):
            yield
    finally:
        give_back()


def sending(who: Principal, chunks: Iterator[bytes], response: Response) -> Response:
    """``response`` with ``chunks``, which are made by searches and take one place until all is sent. Raises TooManySearches."""
    give_back = _places().take(who.user_id)
    response.call_on_close(give_back)  # also where nothing of it was sent
    response.response = _each(chunks, _hung_up(), give_back)
    return response


def _each(chunks: Iterator[bytes], gone: Gone, at_the_end: Callable[[], None]) -> Iterator[bytes]:
    try:
        while True:
            with unless(gone):  # not around the yield: between two chunks the thread is the server's
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk
    finally:
        at_the_end()


def _places() -> Places:
    found = current_app.extensions["liandun_searches"]
    assert isinstance(found, Places)
    return found


def _hung_up() -> Gone:
    """Whether the other end of this request's connection was closed; never true under a server that does not show its socket."""
    sock = next((request.environ[name] for name in _SOCKETS if name in request.environ), None)
    if sock is None:
        return lambda: False

    def gone() -> bool:
        look = select.poll()
        try:
            look.register(sock, select.POLLRDHUP)  # hung up and broken are always told
            return bool(look.poll(0))
        except (OSError, ValueError):
            return True

    return gone
