"""Backups: what is restored into an empty directory is what was there; a changed or foreign one is refused and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from crypto.wraps import ForPublicKey, WithPrivateKey
from kernel.db import open_database, upgrade
from kernel.layout import Layout
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
