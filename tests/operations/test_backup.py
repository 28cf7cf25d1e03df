"""Backups: what is restored into an empty directory is what was there; a changed or foreign one is refused and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.generations import KeyFile
from crypto.secret import MasterKey, SecretError
from crypto.sm2 import PrivateKey
from crypto.wraps import ForPublicKey, WithPrivateKey
from kernel.db import open_database, upgrade
from kernel.layout import Layout
from operations import backup
from operations.audit.schema import Actor
from operations.backup import BackupError, create_backup, restore_backup, verify_backup
from operations.certificates import service

OWNER = PrivateKey.generate()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data").create()
    database = open_database(layout.state_url)
    upgrade(database)
    with database.write() as session:
        service.create_root(session, Actor("alice"), MasterKey.load(layout.master_key), "root", "City root")
    (layout.rules / "own.yml").write_text("title: own")
    create_backup(layout, tmp_path / "state.sealed", tmp_path / "keys.sealed", [ForPublicKey(OWNER.public)])  # while it is open
    database.close()
    return layout


def test_restore_into_an_empty_directory(layout: Layout, tmp_path: Path) -> None:
    opener = WithPrivateKey(OWNER)
    assert "state.db" in verify_backup(tmp_path / "state.sealed", opener)
    fresh = Layout(tmp_path / "fresh")
    restore_backup(tmp_path / "state.sealed", tmp_path / "keys.sealed", opener, fresh)
    database = open_database(fresh.state_url)
    with database.read() as session:
        assert service.load_authority(session, MasterKey.load(fresh.master_key), "root").certificate.is_authority
    database.close()
    assert (fresh.rules / "own.yml").read_text() == "title: own"
    assert fresh.master_key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(tmp_path / "state.sealed", tmp_path / "keys.sealed", opener, fresh)


def test_changed_or_foreign(layout: Layout, tmp_path: Path) -> None:
    sealed, opener = tmp_path / "state.sealed", WithPrivateKey(OWNER)
    with pytest.raises(BackupError, match="not sealed for this key"):
        verify_backup(sealed, WithPrivateKey(PrivateKey.generate()))
    octets = sealed.read_bytes()
    for changed in (octets[:-1], octets[:5000] + bytes((octets[5000] ^ 1,)) + octets[5001:]):
        sealed.write_bytes(changed)
        with pytest.raises(BackupError):
            restore_backup(sealed, tmp_path / "keys.sealed", opener, Layout(tmp_path / "fresh"))
        assert not (tmp_path / "fresh" / "state.db").exists()


def test_no_backup_in_the_middle_of_a_rotation(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_PATIENCE", 0.1)
    with KeyFile(layout.master_key).locked(), pytest.raises(SecretError, match="another command is changing the master key"):
        create_backup(layout, tmp_path / "b.sealed", tmp_path / "bk.sealed", [ForPublicKey(OWNER.public)])
    assert not (tmp_path / "b.sealed").exists()
    assert create_backup(layout, tmp_path / "b.sealed", tmp_path / "bk.sealed", [ForPublicKey(OWNER.public)]) == "file"


def test_state_and_key_of_different_backups(layout: Layout, tmp_path: Path) -> None:
    file = KeyFile(layout.master_key)
    with file.locked():
        file.add(file.read())
    database = open_database(layout.state_url)
    with database.write() as session:
        service.create_root(session, Actor("alice"), MasterKey.load(layout.master_key), "second", "Second root")
    database.close()
    create_backup(layout, tmp_path / "b.sealed", tmp_path / "bk.sealed", [ForPublicKey(OWNER.public)])
    opener, fresh = WithPrivateKey(OWNER), Layout(tmp_path / "fresh")
    with pytest.raises(BackupError, match="needs generation 2 of the master key, the key file has 1"):
        restore_backup(tmp_path / "b.sealed", tmp_path / "keys.sealed", opener, fresh)
    assert not fresh.state_file.exists()
    assert not fresh.master_key.exists()
    restore_backup(tmp_path / "b.sealed", tmp_path / "bk.sealed", opener, fresh)
    database = open_database(fresh.state_url)
    with database.read() as session:
        for label in ("root", "second"):
            assert service.load_authority(session, MasterKey.load(fresh.master_key), label).certificate.is_authority
    database.close()
