"""Backups of the state: database and rules in one sealed file, the master key apart in another.

The database is copied while the platform runs: SQLite by its online backup, PostgreSQL table by table in one transaction
(operations.backup_postgresql). The two files belong in different places: with one of them alone no secret of the database is
learned. A backup is restored only into a data directory without a state database, or an empty PostgreSQL database. The master key
goes in as its keeper protects it: what a token or device has wrapped opens only with that token or device, unless the backup is
portable. While a backup is made the master key cannot be rotated, so the two files fit; files that do not fit are refused.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from crypto.errors import CryptoError
from crypto.generations import KeyFile, opened, parse
from crypto.stream import appearing, open_file, seal_file, seal_stream
from crypto.wraps import Opener, Recipient
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.backup_archive import CONFIG, RULES, check_members, make_private, write_archive
from operations.backup_keys import generations_in_snapshot, generations_in_sqlite
from operations.backup_postgresql import check_snapshot, restore_snapshot, write_snapshot

STATE, KEYS = "liandun backup: state", "liandun backup: keys"
_DATABASE, _TABLES = "state.db", "state.pg"
_STAGING = ".backup-"
_PATIENCE = 60.0
"""Seconds that a rotation may take before a backup gives up."""


class BackupError(LiandunError):
    """A backup cannot be written, or is not to be relied upon."""


def create_backup(
    layout: Layout,
    target: Path,
    keys: Path,
    recipients: Sequence[Recipient],
    config: Path | None = None,
    database: Database | None = None,
    *,
    key_file: KeyFile | None = None,
    portable: bool = False,
) -> str:
    """Seal database, rules and configuration into ``target``, the master key into ``keys``. Works while the platform runs.

    database  of PostgreSQL; None: the embedded one of ``layout``
    key_file  the file of the master key with its keepers; needed where it is to be ``portable``: opened, for a restore without them
    Returns the keeper without which ``keys`` is of no use ("file": none is needed). Raises BackupError, SecretError.
    """
    if not (database or layout.state_file.exists()) or not layout.master_key.exists():
        raise BackupError(f"there is nothing to back up in {layout.root}", "name the data directory with --data")
    file = key_file or KeyFile(layout.master_key)
    with file.locked(_PATIENCE):
        contents = file.read()
        octets = opened(file, contents) if portable else file.path.read_bytes()
        with _written(target):
            _seal_state(layout, target, recipients, config, database)
    try:
        with _written(keys), appearing(keys) as sealed:
            seal_stream(io.BytesIO(octets), sealed, recipients, KEYS)
    except BackupError:
        target.unlink()  # of no use without its key
        raise
    return "file" if portable else contents.active.keeper


@contextlib.contextmanager
def _written(target: Path) -> Iterator[None]:
    """A full disk, and whatever else keeps ``target`` from being written, in one line."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        hint = "the folder it goes to and the data directory need room for a copy"
        raise BackupError(f"{target}: cannot be written: {reason}", hint) from error


def _seal_state(
    layout: Layout, target: Path, recipients: Sequence[Recipient], config: Path | None, database: Database | None
) -> None:
    _remove_leftovers(layout.root)
    with tempfile.TemporaryDirectory(dir=layout.root, prefix=_STAGING) as folder:  # mode 0700; not where backups are kept
        copy, archive = Path(folder) / (_DATABASE if database is None else _TABLES), Path(folder) / "state.tar"
        if database is None:
            _copy_sqlite(layout.state_file, copy)
        else:
            write_snapshot(database, copy)
        try:
            write_archive(archive, copy, layout.rules, config)
        except OSError as error:
            raise BackupError(f"{error.filename}: {error.strerror}", "what is backed up has to be readable") from error
        seal_file(archive, target, recipients, STATE)


def verify_backup(source: Path, opener: Opener) -> list[str]:
    """The names inside, where the file is whole and its database sound. Raises BackupError."""
    with tempfile.TemporaryDirectory(prefix=_STAGING) as folder:  # what holds backups may be read-only, or in other hands
        return _unpack(source, opener, Path(folder))


def restore_backup(
    source: Path,
    keys: Path,
    opener: Opener,
    layout: Layout,
    keys_opener: Opener | None = None,
    database: Database | None = None,
) -> list[str]:
    """Into the data directory of ``layout``, which has no state database yet. Raises BackupError; then nothing was put there.

    database  an empty one of PostgreSQL, for the backup of such a one
    """
    _check_free(layout)
    layout.create()
    _remove_leftovers(layout.root)
    with tempfile.TemporaryDirectory(dir=layout.root, prefix=_STAGING) as folder:
        unpacked = Path(folder)
        names = _unpack(source, opener, unpacked)
        try:
            open_file(keys, unpacked / "master.key", keys_opener or opener, KEYS)
            _check_they_fit(unpacked)
        except CryptoError as error:
            raise BackupError(f"{keys}: {error}") from error
        if (database is not None) != (unpacked / _TABLES).exists():
            kind = "PostgreSQL" if database is None else "embedded"
            raise BackupError(f"{source}: this is the backup of a database of the kind {kind}", "see --database")
        _check_free(layout)  # unpacking takes minutes: a platform that was started here meanwhile has a database of its own
        if database is not None:
            restore_snapshot(database, unpacked / _TABLES)
        make_private(unpacked)
        if (unpacked / RULES).exists():
            layout.rules.rmdir()
            (unpacked / RULES).rename(layout.rules)
        (unpacked / "master.key").rename(layout.master_key)
        if (unpacked / CONFIG).exists():
            (unpacked / CONFIG).rename(layout.root / CONFIG)
        if database is None:
            (unpacked / _DATABASE).rename(layout.state_file)
    return names


def _check_free(layout: Layout) -> None:
    """Nothing may be there that a restored database would be mixed with. Raises BackupError."""
    if layout.state_file.exists() or layout.master_key.exists():
        raise BackupError(f"{layout.root} is not empty", "restore into a new data directory")
    for ending in ("-wal", "-journal"):  # SQLite would take it for the newest pages of the restored file
        rest = layout.state_file.with_name(layout.state_file.name + ending)
        if rest.exists():
            raise BackupError(f"{rest} belongs to a database that is gone", "move it away, or restore into a new data directory")
    if layout.rules.exists() and any(layout.rules.iterdir()):
        raise BackupError(f"{layout.rules} is not empty", "move the rules away, or restore into a new data directory")


def _remove_leftovers(folder: Path) -> None:
    """Unsealed copies of a command that was killed."""
    for left in folder.glob(f"{_STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)


def _copy_sqlite(file: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as written,
    ):
        source.backup(written)


def _check_they_fit(unpacked: Path) -> None:
    """Raises BackupError where the database has secrets that no generation in the key file opens."""
    here = {one.number for one in parse((unpacked / "master.key").read_bytes()).generations}
    tables = unpacked / _TABLES
    needed = generations_in_snapshot(tables) if tables.exists() else generations_in_sqlite(unpacked / _DATABASE)
    if needed - here:
        told = [", ".join(map(str, sorted(numbers))) for numbers in (needed - here, here)]
        raise BackupError(
            f"the database needs generation {told[0]} of the master key, the key file has {told[1]}",
            "give the two files of the same backup",
        )


def _unpack(source: Path, opener: Opener, folder: Path) -> list[str]:
    archive = folder / "state.tar"
    try:
        open_file(source, archive, opener, STATE)
        with tarfile.open(archive, "r:") as tar:
            names = check_members(tar, (_DATABASE, _TABLES))
            tar.extractall(folder, filter="data")
    except (CryptoError, tarfile.TarError) as error:
        raise BackupError(f"{source}: {error}") from error
    except OSError as error:
        raise BackupError(
            f"{source}: cannot be unpacked: {error.strerror}{f': {error.filename}' if error.filename else ''}",
            "see TMPDIR for room",
        ) from error
    archive.unlink()
    if (folder / _TABLES).exists():
        check_snapshot(folder / _TABLES)
        return names
    if not (folder / _DATABASE).exists():
        raise BackupError(f"{source}: there is no database inside")
    try:
        with contextlib.closing(sqlite3.connect(folder / _DATABASE)) as database:
            sound = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except sqlite3.Error:
        sound = False
    if not sound:
        raise BackupError(f"{source}: the database inside is damaged")
    return names
