"""Writers come in the order in which they came; nobody waits for himself, and nobody for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.db import open_database
from kernel.db.turns import Turns
from kernel.errors import StateUnavailable


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_writers_get_the_turn_in_the_order_in_which_they_came() -> None:
    turns, order = Turns(30), list[int]()

    def write(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    with turns.turn():
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda expected=number: turns.waiting == expected)  # type: ignore[misc]
    for thread in threads:
        thread.join(30)
    assert order == list(range(20))
    assert turns.waiting == 0


def test_the_database_writes_in_that_order_for_whomever_it_was_opened(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    with database.write() as session:
        session.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, x)"))

    def write(number: int) -> None:
        with database.carrying({"zones": ("a",)}).write() as session:
            session.execute(text("INSERT INTO t (x) VALUES (:x)"), {"x": number})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    with database.write():
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda expected=number: database._turns.waiting == expected)  # type: ignore[misc]
        with database.read() as session:  # a reader stands in no line
            assert session.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    for thread in threads:
        thread.join(30)
    with database.read() as session:
        assert list(session.execute(text("SELECT x FROM t ORDER BY id")).scalars()) == list(range(12))


def test_a_writer_inside_a_writer_is_refused_at_once_and_the_outer_one_goes_on(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
        with pytest.raises(StateUnavailable, match="inside another"), database.write():
            pass
        session.execute(text("INSERT INTO t VALUES (1)"))
    with database.write() as session:
        assert session.execute(text("SELECT x FROM t")).scalar_one() == 1


def test_patience_ends_with_a_clear_error_and_the_line_goes_on() -> None:
    turns, errors = Turns(0.05), list[StateUnavailable]()

    def write() -> None:
        try:
            with turns.turn():
                pass
        except StateUnavailable as error:
            errors.append(error)

    with turns.turn():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(30)
    assert [(error.reason, error.writing) for error in errors] == [("busy", True)]
    assert turns.waiting == 0
    with turns.turn():
        pass


def test_a_block_that_raises_hands_the_turn_on() -> None:
    turns = Turns(30)
    with pytest.raises(ValueError, match="broken"), turns.turn():
        raise ValueError("broken")
    with turns.turn():
        pass
