"""Backup of a PostgreSQL state database, against a real server: what is restored into an empty database is what was there."""

from __future__ import annotations

import json
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from cli.__main__ import main
from crypto.generations import KeyFile
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from crypto.stream import open_file, seal_file
from crypto.wraps import ForPublicKey, WithPrivateKey
from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from kernel.layout import Layout
from operations.alerts.service import record_detections
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.audit.verify import verify
from operations.backup import STATE, BackupError, create_backup, restore_backup, verify_backup
from operations.backup_postgresql import MANIFEST, SnapshotError
from operations.certificates import service
from tests.postgresql_server import running_postgresql

OWNER = PrivateKey.generate()
OPENER, TO = WithPrivateKey(OWNER), [ForPublicKey(OWNER.public)]
ACTOR = Actor("alice")


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the database ``postgres`` of a throwaway cluster."""
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def fresh(server: str) -> Iterator[Callable[[str], str]]:
    """Makes an empty database; its URL."""
    made = []

    def run(statement: str) -> None:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def make(name: str) -> str:
        run(f"CREATE DATABASE {name}")
        made.append(name)
        return make_url(server).set(database=name).render_as_string(hide_password=False)

    yield make
    for name in made:
        run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def platform(fresh: Callable[[str], str], tmp_path: Path, make: Callable[..., Detection]) -> Iterator[tuple[Layout, Database]]:
    """A data directory and a database with certificates, alerts, an audit trail, and texts that COPY has to escape."""
    layout = Layout(tmp_path / "data").create()
    database = open_database(fresh("liandun_source"))
    upgrade(database)
    with database.write() as session:
        service.create_root(session, ACTOR, MasterKey.load(layout.master_key), "root", "City root")
        record_detections(session, [make(host=f"host-{n}", name="两行\n与\t制表符 \\ \\. \\N") for n in range(50)])
        audit.append(session, ACTOR, "alert.note", "alert", 1, detail={"text": "a\\nb\r\n\\."})
    (layout.rules / "own.yml").write_text("title: own")
    yield layout, database
    database.close()


def _everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in inspect(connection).get_table_names()
        }


def test_restore_into_an_empty_database(
    platform: tuple[Layout, Database], fresh: Callable[[str], str], tmp_path: Path, make: Callable[..., Detection]
) -> None:
    layout, database = platform
    sealed, keys = tmp_path / "state.sealed", tmp_path / "keys.sealed"
    create_backup(layout, sealed, keys, TO, database=database)
    assert "state.pg/manifest.json" in verify_backup(sealed, OPENER)
    empty = open_database(fresh("liandun_target"))
    restored = Layout(tmp_path / "fresh")
    restore_backup(sealed, keys, OPENER, restored, database=empty)
    before, after = _everything(database), _everything(empty)
    assert before == after
    assert len(before["alerts"]) == 50
    assert (restored.rules / "own.yml").read_text() == "title: own"
    assert not restored.state_file.exists()
    with empty.read() as session:
        assert verify(session).ok
    with empty.write() as session:  # numbers go on where they were, keys fit, triggers stand
        assert service.load_authority(session, MasterKey.load(restored.master_key), "root").certificate.is_authority
        assert record_detections(session, [make(host="new")]).new_alert_ids[0] > 50
        assert audit.append(session, ACTOR, "alert.note", "alert", 2) == len(before["audit_entries"]) + 1
    with pytest.raises(Exception, match="append-only"), empty.write() as session:
        session.execute(text("UPDATE audit_entries SET actor = 'eve'"))
    with pytest.raises(SnapshotError, match="tables already"):
        restore_backup(sealed, keys, OPENER, Layout(tmp_path / "again"), database=empty)
    empty.close()


def test_the_key_of_another_backup_is_refused(
    platform: tuple[Layout, Database], fresh: Callable[[str], str], tmp_path: Path
) -> None:
    """Before anything is made in the empty database."""
    layout, database = platform
    file = KeyFile(layout.master_key)
    create_backup(layout, tmp_path / "old.sealed", tmp_path / "old.keys", TO, database=database)
    with file.locked():
        file.add(file.read())
    with database.write() as session:
        service.create_root(session, ACTOR, MasterKey.load(layout.master_key), "second", "Second root")
    create_backup(layout, tmp_path / "new.sealed", tmp_path / "new.keys", TO, database=database)
    empty = open_database(fresh("liandun_misfit"))
    with pytest.raises(BackupError, match="needs generation 2 of the master key, the key file has 1"):
        restore_backup(tmp_path / "new.sealed", tmp_path / "old.keys", OPENER, Layout(tmp_path / "a"), database=empty)
    assert _everything(empty) == {}
    restore_backup(tmp_path / "new.sealed", tmp_path / "new.keys", OPENER, Layout(tmp_path / "b"), database=empty)
    empty.close()


def test_one_moment_while_writers_go_on(platform: tuple[Layout, Database], fresh: Callable[[str], str], tmp_path: Path) -> None:
    """Audit entries and the tree above them are written together: a copy of several moments would not verify."""
    layout, database = platform
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with database.write() as session:
                audit.append(session, ACTOR, "alert.note", "alert", 1)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for number in range(3):
            create_backup(layout, tmp_path / f"b{number}", tmp_path / f"k{number}", TO, database=database)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    for number in range(3):
        target = open_database(fresh(f"liandun_moment{number}"))
        restore_backup(tmp_path / f"b{number}", tmp_path / f"k{number}", OPENER, Layout(tmp_path / f"d{number}"), database=target)
        with target.read() as session:
            assert verify(session).ok
        target.close()


def test_damaged_and_hostile_snapshots(platform: tuple[Layout, Database], fresh: Callable[[str], str], tmp_path: Path) -> None:
    layout, database = platform
    sealed, keys = tmp_path / "state.sealed", tmp_path / "keys.sealed"
    create_backup(layout, sealed, keys, TO, database=database)
    plain = tmp_path / "plain.tar"
    open_file(sealed, plain, OPENER, STATE)

    def rebuilt(change: Callable[[Path], None]) -> Path:
        folder = tmp_path / "unpacked"
        with tarfile.open(plain) as tar:
            tar.extractall(folder, filter="data")
        change(folder / "state.pg")
        with tarfile.open(tmp_path / "changed.tar", "w") as tar:
            for path in folder.iterdir():
                tar.add(path, path.name)
        subprocess.run(["rm", "-r", str(folder)], check=True)
        seal_file(tmp_path / "changed.tar", tmp_path / "changed", TO, STATE)
        return tmp_path / "changed"

    def edit(folder: Path, old: str, new: str) -> None:
        path = folder / MANIFEST
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def rows_of_another_kind(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        table = next(one for one in manifest["tables"] if one["name"] == "alerts")
        other = next(one for one in manifest["tables"] if one["name"] == "audit_entries")
        (folder / "alerts.copy").write_bytes((folder / "audit_entries.copy").read_bytes())
        table.update(rows=other["rows"], size=other["size"], sm3=other["sm3"])
        (folder / MANIFEST).write_text(json.dumps(manifest))

    cases: list[tuple[Callable[[Path], None], str]] = [
        (lambda folder: (folder / "alerts.copy").unlink(), "other files"),
        (lambda folder: (folder / "alerts.copy").write_bytes((folder / "alerts.copy").read_bytes() + b"\n"), "alerts .* damaged"),
        (lambda folder: (folder / MANIFEST).unlink(), "no readable manifest"),
        (lambda folder: edit(folder, '"dedup_key"', "\"id) FROM PROGRAM 'false' --\""), "other columns"),
        (lambda folder: edit(folder, '"revision": "', '"revision": "9'), "newer Liandun"),
        (rows_of_another_kind, "cannot be filled"),
    ]
    target = open_database(fresh("liandun_hostile"))
    for change, reason in cases:
        with pytest.raises(Exception, match=reason):
            restore_backup(rebuilt(change), keys, OPENER, Layout(tmp_path / "fresh"), database=target)
        assert not (tmp_path / "fresh" / "secret" / "master.key").exists()
        assert _everything(target) == {}
    with pytest.raises(BackupError, match="kind PostgreSQL"):
        restore_backup(sealed, keys, OPENER, Layout(tmp_path / "fresh"))
    restore_backup(sealed, keys, OPENER, Layout(tmp_path / "fresh"), database=target)  # and the failures left nothing in the way
    target.close()


def test_by_command(platform: tuple[Layout, Database], fresh: Callable[[str], str], tmp_path: Path) -> None:
    layout, database = platform
    (tmp_path / "key.pem").write_text(OWNER.to_pem())
    (tmp_path / "public.pem").write_text(OWNER.public.to_pem())
    (tmp_path / "from.url").write_text(database.engine.url.render_as_string(hide_password=False) + "\n")
    (tmp_path / "to.url").write_text(fresh("liandun_command"))

    def run(*arguments: str | Path) -> str:
        done = CliRunner().invoke(main, ["backup", *map(str, arguments)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    sealed, keys, private = tmp_path / "b", ("--keys", tmp_path / "k"), ("-k", tmp_path / "key.pem")
    before = _everything(database)
    run("create", sealed, *keys, "--to", tmp_path / "public.pem", "--data", layout.root, "--database", tmp_path / "from.url")
    assert "in order" in run("verify", sealed, *private)
    run("restore", sealed, *keys, *private, "--data", tmp_path / "fresh", "--database", tmp_path / "to.url")
    target = open_database((tmp_path / "to.url").read_text())
    assert _everything(target) == before
    assert len(_everything(database)["audit_entries"]) == len(before["audit_entries"]) + 1  # that it was backed up
    target.close()
