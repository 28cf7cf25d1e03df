"""One snapshot of the state database for everything that stands around a page: its menu counts a dozen things, and a connection and
a transaction for each would take longer than the counting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flask import Flask, g
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.db.unavailable import explained
from soc_ui.services import services


@contextmanager
def frame_session() -> Iterator[Session]:
    """The request's session for its frame, begun when it is first asked for, with the limits of who asks; cannot write.

    Raises StateUnavailable; who asks after that gets a new one.
    """
    try:
        with explained(writing=False):
            yield _begun(services().database)
    except BaseException:
        _end()
        raise


def install(app: Flask) -> None:
    """Ends the session with the request."""
    app.teardown_appcontext(_end)


def _begun(database: Database) -> Session:
    if g.get("frame_database") is not database:
        _end()
        g.frame_ending = ExitStack()
        g.frame_session = g.frame_ending.enter_context(database.read())
        g.frame_database = database
    session = g.frame_session
    assert isinstance(session, Session)
    return session


def _end(_error: BaseException | None = None) -> None:
    g.pop("frame_database", None)
    ending = g.pop("frame_ending", None)
    if isinstance(ending, ExitStack):
        ending.close()
