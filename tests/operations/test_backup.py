"""Backups: what is restored into an empty directory is what was there; a changed or foreign one is refused and leaves nothing."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from crypto.generations import KeyFile
from crypto.secret import MasterKey, SecretError
from crypto.sm2 import PrivateKey
from crypto.stream import seal_file
from crypto.wraps import ForPublicKey, Recipient, WithPrivateKey
from kernel.db import open_database
from kernel.layout import Layout
from operations import backup
from operations.audit.schema import Actor
from operations.backup import BackupError, create_backup, restore_backup, verify_backup
from operations.certificates import service
from tests.small_disk import fill_up, needs_mount, small_disk
from tests.state_database import migrated

OWNER = PrivateKey.generate()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
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


def test_links_are_followed(layout: Layout, tmp_path: Path) -> None:
    """A backup with links could be written, and never be restored: they lead out of the archive."""
    site, config = tmp_path / "site", tmp_path / "real.toml"
    (site / "sigma").mkdir(parents=True)
    (site / "sigma" / "site.yml").write_text("title: site")
    (site / "round").symlink_to(site)
    (layout.rules / "site").symlink_to(site)
    (layout.rules / "gone").symlink_to(tmp_path / "nothing")
    config.write_text("[console]\n")
    (tmp_path / "link.toml").symlink_to(config)
    create_backup(layout, tmp_path / "b", tmp_path / "k", [ForPublicKey(OWNER.public)], tmp_path / "link.toml")
    fresh = Layout(tmp_path / "fresh")
    restore_backup(tmp_path / "b", tmp_path / "k", WithPrivateKey(OWNER), fresh)
    assert (fresh.rules / "site" / "sigma" / "site.yml").read_text() == "title: site"
    assert (fresh.rules / "own.yml").read_text() == "title: own"
    assert sorted(path.name for path in fresh.rules.iterdir()) == ["own.yml", "site"]
    assert (fresh.root / "liandun.toml").read_text() == "[console]\n"


def test_what_is_restored_is_its_owners_only(layout: Layout, tmp_path: Path) -> None:
    """The data directory may be passed through by others, so each file and folder has to be closed."""
    (tmp_path / "c.toml").write_text("")
    create_backup(layout, tmp_path / "b", tmp_path / "k", [ForPublicKey(OWNER.public)], tmp_path / "c.toml")
    fresh = Layout(tmp_path / "fresh")
    restore_backup(tmp_path / "b", tmp_path / "k", WithPrivateKey(OWNER), fresh)
    for path in (fresh.state_file, fresh.root / "liandun.toml", fresh.master_key, fresh.rules / "own.yml"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert fresh.rules.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("rest", ["state.db-wal", "state.db-journal", "rules/mine.yml"])
def test_not_beside_the_rest_of_another_database(layout: Layout, tmp_path: Path, rest: str) -> None:
    fresh = Layout(tmp_path / "fresh").create()
    (fresh.root / rest).write_bytes(b"x")
    with pytest.raises(BackupError, match="move"):
        restore_backup(tmp_path / "state.sealed", tmp_path / "keys.sealed", WithPrivateKey(OWNER), fresh)
    assert not fresh.state_file.exists()
    assert not fresh.master_key.exists()


def test_nothing_unsealed_where_backups_are_kept(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not for the moment: the command may be killed. What a killed one left in the data directory goes with the next."""
    medium = tmp_path / "medium"
    medium.mkdir()
    (layout.root / ".backup-killed").mkdir()
    (layout.root / ".backup-killed" / "state.db").write_text("")
    seen: list[list[str]] = []
    seal = backup.seal_file

    def watched(source: Path, target: Path, recipients: Sequence[Recipient], context: str) -> None:
        seen.append([path.name for path in medium.rglob("*")])
        seal(source, target, recipients, context)

    monkeypatch.setattr(backup, "seal_file", watched)
    create_backup(layout, medium / "b", medium / "k", [ForPublicKey(OWNER.public)])
    assert seen == [[]]
    assert not list(layout.root.glob(".backup-*"))


def test_no_database_inside_or_none_that_can_be_read(tmp_path: Path) -> None:
    for content in (b"", b"no database at all" * 100):
        inside, archive = tmp_path / "state.db", tmp_path / "a.tar"
        inside.write_bytes(content)
        with tarfile.open(archive, "w") as tar:
            tar.add(inside, "state.db" if content else "other")
        seal_file(archive, tmp_path / "b", [ForPublicKey(OWNER.public)], backup.STATE)
        with pytest.raises(BackupError):
            verify_backup(tmp_path / "b", WithPrivateKey(OWNER))
    with pytest.raises(BackupError, match="No such file"):
        verify_backup(tmp_path / "missing", WithPrivateKey(OWNER))


def _hostile(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", **headers: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.pax_headers = kind, target, headers
    return member


@pytest.mark.parametrize(
    "member",
    [
        _hostile("rules/link", tarfile.SYMTYPE, "own.yml"),
        _hostile("rules/link", tarfile.SYMTYPE, "/etc/passwd"),
        _hostile("rules/../../out"),
        _hostile("/tmp/out"),
        _hostile("rules/hard", tarfile.LNKTYPE, "../../out"),
        _hostile("rules/device", tarfile.CHRTYPE),
        _hostile("rules/pipe", tarfile.FIFOTYPE),
        _hostile("master.key"),
        _hostile("master.key", tarfile.DIRTYPE),
        _hostile("state.tar", tarfile.DIRTYPE),
        _hostile("secret/audit-1.key"),
        _hostile("liandun.toml/x"),
        _hostile("rules/bomb", **{"GNU.sparse.major": "0", "GNU.sparse.size": str(1 << 50), "GNU.sparse.map": "0,0"}),
    ],
    ids=lambda member: f"{member.name} {member.type!r} {member.linkname}",
)
def test_what_no_backup_holds_is_refused(layout: Layout, tmp_path: Path, member: tarfile.TarInfo) -> None:
    """A backup is sealed, not signed: anybody can make one for the officer, with whatever he likes inside."""
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(layout.state_file, "state.db")
        tar.add(layout.rules / "own.yml", "rules/own.yml")
        tar.addfile(member)
    seal_file(tmp_path / "a.tar", tmp_path / "b", [ForPublicKey(OWNER.public)], backup.STATE)
    fresh = Layout(tmp_path / "fresh")
    with pytest.raises(BackupError, match=r"does not belong|outside"):
        restore_backup(tmp_path / "b", tmp_path / "keys.sealed", WithPrivateKey(OWNER), fresh)
    assert not fresh.state_file.exists()
    assert not fresh.master_key.exists()
    assert not list(fresh.rules.iterdir())
    assert not list(fresh.root.glob(".backup-*"))


def test_two_rules_that_are_one_file(layout: Layout, tmp_path: Path) -> None:
    (layout.rules / "same.yml").hardlink_to(layout.rules / "own.yml")
    create_backup(layout, tmp_path / "b", tmp_path / "k", [ForPublicKey(OWNER.public)])
    fresh = Layout(tmp_path / "fresh")
    restore_backup(tmp_path / "b", tmp_path / "k", WithPrivateKey(OWNER), fresh)
    assert (fresh.rules / "same.yml").stat().st_nlink == 1
    assert (fresh.rules / "same.yml").read_text() == (fresh.rules / "own.yml").read_text() == "title: own"


class _Starting(WithPrivateKey):
    """While the backup is being opened somebody starts a platform in the same directory."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(OWNER)
        self._layout = layout

    def unwrap(self, body: bytes) -> bytes | None:
        database = migrated(self._layout.state_url)
        database.close()
        return super().unwrap(body)


def test_a_platform_that_starts_meanwhile_is_not_overwritten(layout: Layout, tmp_path: Path) -> None:
    fresh = Layout(tmp_path / "fresh")
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(tmp_path / "state.sealed", tmp_path / "keys.sealed", WithPrivateKey(OWNER), fresh, _Starting(fresh))
    assert not fresh.master_key.exists()
    assert fresh.state_file.exists()


def test_a_restore_that_was_killed_leaves_nothing_unsealed_for_long(layout: Layout, tmp_path: Path) -> None:
    fresh = Layout(tmp_path / "fresh").create()
    (fresh.root / ".backup-killed").mkdir()
    (fresh.root / ".backup-killed" / "state.db").write_text("unsealed")
    restore_backup(tmp_path / "state.sealed", tmp_path / "keys.sealed", WithPrivateKey(OWNER), fresh)
    assert not list(fresh.root.glob(".backup-*"))


@needs_mount
@pytest.mark.parametrize("full", ["state", "keys", "data"])
def test_a_full_disk_leaves_no_half_of_a_backup(layout: Layout, tmp_path: Path, full: str) -> None:
    """Neither a state without its key, which could never be opened and would be in the way of the next one."""
    with small_disk(tmp_path / "medium", 4) as medium:
        places = {"state": tmp_path / "s", "keys": tmp_path / "k"}
        if full == "data":
            shutil.copytree(layout.root, medium / "data", ignore=lambda _folder, names: {one for one in names if one == "rules"})
            layout = Layout(medium / "data")
        else:
            places[full] = medium / full
        fill_up(medium)
        with pytest.raises(BackupError, match=r"cannot be written: .*(No space|disk)"):
            create_backup(layout, places["state"], places["keys"], [ForPublicKey(OWNER.public)])
        assert not any(path.exists() for path in places.values())
        assert not list(tmp_path.glob(".s.*")) + list(medium.glob(".*"))
