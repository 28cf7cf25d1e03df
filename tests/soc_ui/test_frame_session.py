"""The frame of a page is read in one snapshot, with the limits of who asks; what it cannot read is told as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from flask import g
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from kernel.errors import StateUnavailable
from operations.reach import SESSION_KEY
from soc_ui.frame_session import frame_session
from soc_ui.services import Services, limit_to


@contextmanager
def connections(services: Services) -> Iterator[list[bool]]:
    """One entry for each connection that the block takes, and gives back."""
    taken, back = [], []

    def take(*_: object) -> None:
        taken.append(True)

    def give(*_: object) -> None:
        back.append(True)

    event.listen(services.database.engine, "checkout", take)
    event.listen(services.database.engine, "checkin", give)
    try:
        yield taken
    finally:
        event.remove(services.database.engine, "checkout", take)
        event.remove(services.database.engine, "checkin", give)
    assert len(back) == len(taken)


def test_a_page_takes_three_connections(filled: Services, client: FlaskClient) -> None:
    client.get("/alerts?view=all")  # the session is written down as seen
    with connections(filled) as taken:
        assert "Log out" in client.get("/alerts?view=all").text
    assert len(taken) == 3  # who it is, what stands in the page, what stands around it


def test_it_has_the_limits_of_who_asks(app: APIFlask) -> None:
    with app.test_request_context("/"):
        with frame_session() as whole:
            assert SESSION_KEY not in whole.info
        limit_to(frozenset({"z1"}))
        with frame_session() as mine, frame_session() as again:
            assert mine is again
            assert mine.info[SESSION_KEY] == {"z1"}


def test_what_fails_is_explained_and_the_next_one_begins_anew(app: APIFlask) -> None:
    with app.test_request_context("/"):
        with frame_session() as first:
            first.execute(text("SELECT 1"))
        with pytest.raises(StateUnavailable), frame_session():
            raise OperationalError("SELECT 1", {}, _Gone())
        assert "frame_database" not in g
        with frame_session() as second:
            assert second is not first
            assert second.execute(text("SELECT 1")).scalar() == 1


class _Gone(Exception):
    sqlstate = "57P01"  # admin_shutdown
