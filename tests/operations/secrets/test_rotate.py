"""Rotation: everything that is sealed changes its key, whatever happens in between, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, String, delete, event, select, update
from sqlalchemy.types import Text

from crypto.errors import SecretError
from crypto.generations import KeyFile
from crypto.keepers import FileKeeper, Keepers
from crypto.secret import MARK, MasterKey, prefix_of
from kernel.db import Base, Database, open_database
from operations import clock
from operations.accounts.factors import totp_context
from operations.accounts.models import Challenge, Factor
from operations.audit import service as audit
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.incidents import evidence_key
from operations.secrets import tables
from operations.secrets.files import Settings
from operations.secrets.rotate import SecretPlaces, move, rotate
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from tests.operations.secrets.conftest import ACTOR, CONTEXT, City, build_city


def run(city: City, *, anew: bool = False) -> Any:
    database, key = city.database(), city.key()
    try:
        return rotate(city.file(), key, city.places(database, key), ACTOR, anew=anew)
    finally:
        database.close()


def acts(city: City) -> list[tuple[str, str]]:
    database = city.database()
    with database.read() as session:
        found = [(one.action, one.object_id) for one in audit.since(session, 0) if one.action.startswith("secrets.")]
    database.close()
    return found


def test_everything_is_sealed_again(city: City) -> None:
    running = city.key()
    before = city.sealed()
    kinds = {"webhook", "inbound", "inbound before", "totp", "challenge", "authority", "evidence", "playbook", "audit", "config"}
    assert {place for place, _ in before} == kinds
    ended = run(city)
    assert (ended.generation, ended.resumed, ended.stuck, ended.waiting) == (2, False, [], [])
    assert ended.done == len(before) == 19
    after = city.sealed()
    assert all(sealed.startswith(prefix_of(2)) for sealed in after.values())
    assert city.open_all(city.key()) == city.open_all(running) == city.wanted
    assert [one.number for one in city.file().read().generations] == [2]
    assert acts(city) == [("secrets.rotate", "2"), ("secrets.retire", "2")]
    assert city.config.stat().st_mode & 0o777 == 0o640
    assert city.config.read_text("utf-8").endswith("  # 密码\n")
    for path in city.layout.master_key.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert run(city).generation == 3
    assert city.open_all(city.key()) == city.wanted


def test_values_of_earlier_versions(city: City) -> None:
    """Generation 1 is written as sm4-gcm:v1 there, and the key file is 32 hex digits."""
    (generation,) = city.file().read().generations
    city.layout.master_key.write_text(generation.kept + "\n")
    database = city.database()
    with database.write() as session:
        for factor in session.execute(select(Factor)).scalars():
            factor.material = factor.material.replace("sm4-gcm:v2:1:", "sm4-gcm:v1:")
    database.close()
    assert run(city).waiting == []
    assert city.generations() == {2}
    assert city.open_all(city.key()) == city.wanted


def test_no_column_was_forgotten(city: City) -> None:
    """Every text column of every table is searched for sealed values; those that were found are those that rotation knows."""
    known = {(column.model.__tablename__, column.value.key) for column in tables.COLUMNS}
    found = set()
    database = city.database()
    with database.read() as session:
        for table in Base.metadata.tables.values():
            for column in table.columns:
                if isinstance(column.type, (String, Text)):
                    query = select(column).where(column.startswith(MARK)).limit(1)
                    if session.execute(query).first() is not None:
                        found.add((table.name, column.name))
    database.close()
    assert found == known
    named = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed") and not column.name.endswith(("_at", "_by"))
    }
    assert named <= known  # also where the city above has no such row yet


def test_evidence_is_read_after_a_rotation(city: City) -> None:
    """Once the old generation was forgotten for good, a package that was sealed before still opens."""
    key, database = city.key(), city.database()
    with database.write() as session:
        before = evidence_key.keys(session, key).all[0].to_bytes()
    database.close()
    assert run(city).waiting == []
    database = city.database()
    with database.write() as session:
        assert [one.to_bytes() for one in evidence_key.keys(session, city.key()).all] == [before]
    database.close()


def test_what_does_not_open_is_told_and_its_key_stays(city: City) -> None:
    database = city.database()
    foreign = MasterKey(bytes(16)).seal(b"sha1:00", totp_context(1))
    with database.write() as session:
        session.execute(update(Factor).where(Factor.id == 2).values(material=foreign))
        session.execute(update(Factor).where(Factor.id == 3).values(material="sm4-gcm:v9:what"))
    ended = run(city)
    assert [one.where for one in ended.stuck] == ["second factors: second_factors 2", "second factors: second_factors 3"]
    assert ended.waiting == [1]
    assert acts(city) == [("secrets.rotate", "2")]
    with database.write() as session:
        session.execute(delete(Factor).where(Factor.id.in_((2, 3))))
    database.close()
    again = run(city)
    assert (again.generation, again.resumed, again.waiting, again.stuck) == (2, True, [], [])
    assert acts(city)[1:] == [("secrets.retire", "2")]


def test_a_value_that_never_opens_does_not_stop_the_next_rotation(city: City) -> None:
    """Whoever knows the key would keep it by damaging one value."""
    database = city.database()
    with database.write() as session:
        session.execute(update(Factor).where(Factor.id == 2).values(material="sm4-gcm:v2:1:" + "A" * 60))
    assert run(city).waiting == [1]
    assert run(city).generation == 2
    ended = run(city, anew=True)
    assert (ended.generation, ended.resumed, ended.waiting) == (3, False, [1])
    found = city.places(database, city.key()).count()
    assert {generation for place in found for generation in place.generations} == {1, 3}
    database.close()


def test_a_file_that_cannot_be_read_keeps_the_old_key(city: City) -> None:
    path = next(city.layout.master_key.parent.glob("audit-*.key"))
    path.chmod(0o644)
    ended = run(city)
    assert ended.waiting == [1]
    assert "chmod 600" in ended.stuck[0].why
    path.chmod(0o600)
    assert run(city).waiting == []
    assert city.open_all(city.key()) == city.wanted


def test_the_environment_is_its_owners(city: City) -> None:
    key, database = city.key(), city.database()
    sealed = key.seal(b"geheim", CONTEXT)
    places = SecretPlaces(database, [Settings(None, {"LIANDUN_STORE_ELASTICSEARCH_PASSWORD": sealed}, CONTEXT)])
    ended = rotate(city.file(), key, places, ACTOR)
    database.close()
    assert ended.stuck[0].where == "environment: LIANDUN_STORE_ELASTICSEARCH_PASSWORD"
    assert ended.waiting == [1]


def test_dead_challenges_hold_nothing_up(city: City) -> None:
    database = city.database()
    with database.write() as session:
        session.execute(update(Challenge).values(expires_at=clock.shift(clock.now(), -1)))
    database.close()
    assert run(city).waiting == []


def test_the_trail_is_signed_on_with_the_resealed_key(tmp_path: Path) -> None:
    city = build_city(tmp_path / "data")
    for path in city.layout.master_key.parent.glob("audit-*.key"):
        path.unlink()
    database, key = city.database(), city.key()
    trail = Trail(database, HeadFile(city.layout.audit_heads), KeyStore(city.layout.master_key.parent, key))
    first = trail.sign()
    rotate(city.file(), key, city.places(database, key), ACTOR)
    second = trail.sign()
    assert first is not None
    assert second is not None
    assert second.key_id == first.key_id
    database.close()


def test_two_rotations_at_once(city: City) -> None:
    with city.file().locked(), pytest.raises(SecretError, match="another command is changing the master key"):
        run(city)
    assert city.generations() == {1}
    results: list[object] = []

    def one() -> None:
        try:
            results.append(run(city).generation)
        except SecretError as error:
            results.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 in results
    assert all(isinstance(one, int) or "another command" in str(one) for one in results)
    assert city.open_all(city.key()) == city.wanted
    assert len(city.file().read().generations) == len(city.generations()) == 1


@pytest.mark.slow
def test_writers_that_run_meanwhile_lose_nothing(tmp_path: Path) -> None:
    """Ten rotations while two threads, each with a master key of its own as two processes have, make webhooks and renew secrets."""
    city = build_city(tmp_path / "data", factors=400, webhook_count=1)
    stop, secrets, failures = threading.Event(), {}, []
    policy = WebhookPolicy(allow=("10.0.0.0/8",))

    def work(name: str) -> None:
        database, key = city.database(), city.key()
        try:
            with database.write() as session:
                target, secret = webhooks.create_target(session, ACTOR, key, name=name, url="https://10.9.9.9/", policy=policy)
            while not stop.is_set():
                with database.write() as session:
                    secret = webhooks.renew_secret(session, ACTOR, key, target.id)
                with database.read() as session:
                    row = session.get(webhooks.WebhookTarget, target.id)
                    assert row is not None
                    if key.unseal(row.sealed_secret, webhooks.secret_context(target.id)).decode() != secret:
                        failures.append(name)
            secrets["webhook", str(target.id)] = secret.encode()
        except Exception as error:
            failures.append(repr(error))
        finally:
            database.close()

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            assert run(city).generation == number + 2
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert run(city).waiting == []
    assert city.open_all(city.key()) == city.wanted | secrets


def test_a_value_that_is_changed_meanwhile_stays_as_it_was_changed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on PostgreSQL, where a batch does not lock the others out."""
    original = MasterKey.reseal

    def slow(self: MasterKey, sealed: str, context: str) -> str:
        fresh = original(self, sealed, context)
        if context == "webhook:1":
            monkeypatch.setattr(tables, "update", lambda _: _Other())
        return fresh

    class _Other:
        """An update that finds the row changed."""

        def where(self, *_: Any) -> Any:
            monkeypatch.undo()
            return update(webhooks.WebhookTarget).where(webhooks.WebhookTarget.id == -1)

    monkeypatch.setattr(MasterKey, "reseal", slow)
    ended = run(city)
    assert ended.waiting == []
    assert city.open_all(city.key()) == city.wanted


def killed_at(city: City, step: int, act: Callable[[City], object]) -> bool:
    """Run in a child that is killed (SIGKILL) before its ``step``-th durable step: commit, fsync, rename. False: it ended."""
    child = os.fork()
    if child == 0:
        count = 0

        def next_step() -> None:
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

        fsync, replace = os.fsync, os.replace
        os.fsync = lambda handle: (next_step(), fsync(handle))[1]  # type: ignore[assignment]
        os.replace = lambda *names, **more: (next_step(), replace(*names, **more))[1]  # type: ignore[assignment]
        event.listen(Engine, "commit", lambda _connection: next_step())
        code = 1
        try:
            act(city)
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.slow
def test_killed_before_each_durable_step(tmp_path: Path) -> None:
    original = build_city(tmp_path / "original", factors=450, webhook_count=1)  # three batches of factors
    step, seen = 0, []
    while True:
        step += 1
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(original.layout.root, tmp_path / "data")
        city = City(type(original.layout)(tmp_path / "data"), tmp_path / "data" / "liandun.toml", original.wanted)
        running = city.key()
        killed = killed_at(city, step, run)
        generations = [one.number for one in city.file().read().generations]
        seen.append((generations, sorted(city.generations())))
        assert city.open_all(city.key()) == city.open_all(running) == original.wanted, step
        assert running.unseal(running.seal(b"x", "c"), "c") == b"x"
        assert city.generations() <= set(generations), step
        ended = run(city)
        assert ended.waiting == []
        assert ended.resumed == (len(generations) == 2)
        assert city.open_all(city.key()) == original.wanted
        assert len(city.generations()) == len(city.file().read().generations) == 1
        assert not list(city.layout.root.rglob(".*.tmp")), "leftovers of the killed one are gone"
        if not killed:
            break
    assert step > 12
    assert ([1, 2], [1, 2]) in seen
    assert ([1, 2], [2]) in seen


def test_move_killed_before_each_durable_step(tmp_path: Path) -> None:
    class Reversed(FileKeeper):
        """A stand-in for a device: any other text of the key."""

        name = "sdf"

        def protect(self, key: bytes, generation: int) -> str:
            return key[::-1].hex()

        def reveal(self, kept: str, generation: int) -> bytes:
            return bytes.fromhex(kept)[::-1]

    keepers = Keepers("file", {"file": FileKeeper(), "sdf": Reversed()})
    original = build_city(tmp_path / "original", factors=1, webhook_count=1)

    def act(city: City) -> None:
        database: Database = open_database(city.layout.state_url)
        move(KeyFile(city.layout.master_key, lambda: keepers), "sdf", database, ACTOR)
        database.close()

    step, killed = 0, True
    while killed:
        step += 1
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(original.layout.root, tmp_path / "data")
        city = City(type(original.layout)(tmp_path / "data"), tmp_path / "data" / "liandun.toml", original.wanted)
        killed = killed_at(city, step, act)
        key = MasterKey.load(city.layout.master_key, lambda: keepers)
        assert city.open_all(key) == original.wanted
    assert step > 3
    assert city.file().read().active.keeper == "sdf"
    assert acts(city) == [("secrets.move", "1")]
