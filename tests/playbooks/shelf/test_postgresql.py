"""The shelf on a server with many writers: what two do at the same moment is done once, and nobody's work is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from crypto.secret import MasterKey
from kernel.db import Database, open_database, upgrade
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict
from operations.incidents import numbering
from playbooks.run.models import PlaybookRun
from playbooks.shelf import service as shelf
from playbooks.shelf.schema import ShelfFilter
from playbooks.vault import service as vault
from tests.playbooks.documents import document, octets, uuid
from tests.playbooks.shelf.people import ANALYST, DUTY, RESPONDER
from tests.postgresql_server import running_postgresql

ID = f"playbook--{uuid(100)}"
TIMES = 16


@pytest.mark.slow
def test_many_at_the_same_moment(shared: Path, tmp_path: Path) -> None:
    with running_postgresql(shared, tmp_path) as url:
        database = open_database(url)
        upgrade(database)
        _install(database)
        _save(database)
        _start(database)
        _secrets(database, MasterKey.load(tmp_path / "master.key"))
        _numbers(database)
        database.close()


def _all_at_once(act: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(TIMES) as threads:
        return [one.result(120) for one in [threads.submit(act, number) for number in range(TIMES)]]


def _install(database: Database) -> None:
    def install(_: int) -> int:
        with database.write() as session:
            return len(shelf.install_library(session).new)

    assert sorted(_all_at_once(install))[:-1] == [0] * (TIMES - 1)  # type: ignore[type-var]
    with database.read() as session:
        assert len(shelf.listing(session, ShelfFilter(state="released"), limit=500).playbooks) == len(shelf.startable(session)) > 20
        assert len(shelf.listing(session, ShelfFilter(text="block AN")).playbooks) == 1
        assert len(shelf.listing(session, ShelfFilter(label="building-block")).playbooks) == 5


def _save(database: Database) -> None:
    """Of those that begin with the same version one gets on, whether it is the first one or the next."""

    def save(base: int | None) -> Callable[[int], bool]:
        def attempt(number: int) -> bool:
            try:
                with database.write() as session:
                    shelf.save(session, RESPONDER, octets(document(name=f"{base}.{number}")), base=base)
                return True
            except Conflict:
                return False

        return attempt

    assert sum(map(bool, _all_at_once(save(None)))) == 1
    assert sum(map(bool, _all_at_once(save(1)))) == 1
    with database.write() as session:
        assert [one.number for one in shelf.versions(session, ID).versions] == [2, 1]
        shelf.release(session, DUTY, ID, 2, None)


def _start(database: Database) -> None:
    def start(number: int) -> int:
        with database.write() as session:
            return shelf.start(session, ANALYST, ID, {}, {"kind": "hand"}, request_key=f"key {number % 2}")

    started = _all_at_once(start)
    assert (len(set(started[::2])), len(set(started[1::2]))) == (1, 1)
    with database.read() as session:
        assert len(session.execute(select(PlaybookRun.id)).scalars().all()) == 2
        assert len(audit.listing(session, action="playbook.start").entries) == 2


def _secrets(database: Database, key: MasterKey) -> None:
    def put(number: int) -> None:
        with database.write() as session:
            vault.set_secret(session, Actor("zhou"), key, f"s{number}", f"geheim {number}")

    _all_at_once(put)
    assert [vault.secrets(database, key)(f"s{number}", None) for number in range(TIMES)] == [f"geheim {n}" for n in range(TIMES)]


def _numbers(database: Database) -> None:
    """The first incidents of a year, which triggers wait for, do not stand in each other's way."""

    def take(_: int) -> str:
        with database.write() as session:
            return numbering.next_number(session, numbering.INCIDENT)

    assert [str(one)[-4:] for one in sorted(_all_at_once(take), key=str)] == [f"{n:04d}" for n in range(1, TIMES + 1)]
