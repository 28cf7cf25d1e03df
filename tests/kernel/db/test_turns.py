"""The line of writers: in order, one at a time, without a deadlock, and a clear word for who waits in vain."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.db import Database, engine
from kernel.db.turns import Turns, TurnTimeout
from kernel.errors import StateUnavailable
from tests.state_database import migrated


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path / 'state.db'}")


def test_first_come_first_served() -> None:
    turns, order, threads = Turns(), [], []

    def work(number: int) -> None:
        with turns.turn(10):
            order.append(number)

    with turns.turn(1):
        for number in range(8):
            thread = threading.Thread(target=work, args=(number,))
            thread.start()
            threads.append(thread)
            while len(turns._line) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_who_waits_in_vain_leaves_the_line_whole() -> None:
    turns, late = Turns(), list[type[TurnTimeout]]()

    def work() -> None:
        try:
            with turns.turn(0.02):
                pass
        except TurnTimeout as error:
            late.append(type(error))

    with turns.turn(1):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert not turns._line
    assert late == [TurnTimeout]
    with turns.turn(0.02):
        pass


def test_an_error_gives_the_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(1):
        raise ZeroDivisionError
    with turns.turn(0.02):
        pass


def test_never_two_at_once_under_load() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with turns.turn(10):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1


def test_a_writer_inside_a_writer_is_told_instead_of_hanging(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    with database.write(), pytest.raises(StateUnavailable) as refused, database.carrying({"a": 1}).write():
        pytest.fail("two at once")
    assert refused.value.reason == "busy"
    with database.write() as session:
        session.execute(text("SELECT 1"))


def test_readers_do_not_wait(database: Database) -> None:
    with database.write(), database.read() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_writer_inside_a_writer_is_refused_at_once_and_the_outer_one_goes_on(database: Database) -> None:
    with database.write() as session:
        session.execute(text("CREATE TABLE nested (x)"))
        with pytest.raises(StateUnavailable, match="inside another"), database.carrying({"zones": ("a",)}).write():
            pytest.fail("two at once")
        session.execute(text("INSERT INTO nested VALUES (1)"))
    with database.write() as session:
        assert session.execute(text("SELECT x FROM nested")).scalar_one() == 1
