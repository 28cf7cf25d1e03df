"""Backups of the state: database (SQLite online backup) and rules in one sealed file, the master key apart in another.

The two files belong in different places: with one of them alone no secret of the database is learned. A backup is restored only
into a data directory without a state database. The master key goes in as its keeper protects it: what a token or device has wrapped
opens only with that token or device, unless the backup is portable. While a backup is made the master key cannot be rotated, so the
two files fit; files that do not fit are refused.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from crypto.errors import CryptoError
from crypto.generations import KeyFile, opened, parse
from crypto.secret import MARK, generation_of
from crypto.stream import appearing, open_file, seal_file, seal_stream
from crypto.wraps import Opener, Recipient
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.accounts.models import Challenge
from operations.secrets.tables import COLUMNS

STATE, KEYS = "liandun backup: state", "liandun backup: keys"
_DATABASE, _RULES = "state.db", "rules"
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
    *,
    key_file: KeyFile | None = None,
    portable: bool = False,
) -> str:
    """Seal database, rules and configuration into ``target``, the master key into ``keys``. Works while the platform runs.

    key_file  the file of the master key with its keepers; needed where it is to be ``portable``: opened, for a restore without them
    Returns the keeper without which ``keys`` is of no use ("file": none is needed). Raises BackupError, SecretError.
    """
    if not layout.state_file.exists() or not layout.master_key.exists():
        raise BackupError(f"there is nothing to back up in {layout.root}", "name the data directory with --data")
    file = key_file or KeyFile(layout.master_key)
    with file.locked(_PATIENCE):
        contents = file.read()
        octets = opened(file, contents) if portable else file.path.read_bytes()
        _seal_state(layout, target, recipients, config)
    with appearing(keys) as sealed:
        seal_stream(io.BytesIO(octets), sealed, recipients, KEYS)
    return "file" if portable else contents.active.keeper


def _seal_state(layout: Layout, target: Path, recipients: Sequence[Recipient], config: Path | None) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:  # mode 0700
        copy, archive = Path(folder) / _DATABASE, Path(folder) / "state.tar"
        with (
            contextlib.closing(sqlite3.connect(f"file:{layout.state_file}?mode=ro", uri=True)) as source,
            contextlib.closing(sqlite3.connect(copy)) as written,
        ):
            source.backup(written)
        with tarfile.open(archive, "w") as tar:
            tar.add(copy, _DATABASE)
            if layout.rules.exists():
                tar.add(layout.rules, _RULES)
            if config is not None:
                tar.add(config, "liandun.toml")
        seal_file(archive, target, recipients, STATE)


def verify_backup(source: Path, opener: Opener) -> list[str]:
    """The names inside, where the file is whole and its database sound. Raises BackupError."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        return _unpack(source, opener, Path(folder))


def restore_backup(source: Path, keys: Path, opener: Opener, layout: Layout, keys_opener: Opener | None = None) -> list[str]:
    """Into the data directory of ``layout``, which has no state database yet. Raises BackupError; then nothing was put there."""
    if layout.state_file.exists() or layout.master_key.exists():
        raise BackupError(f"{layout.root} is not empty", "restore into a new data directory")
    layout.create()
    with tempfile.TemporaryDirectory(dir=layout.root) as folder:
        unpacked = Path(folder)
        names = _unpack(source, opener, unpacked)
        try:
            open_file(keys, unpacked / "master.key", keys_opener or opener, KEYS)
            _check_they_fit(unpacked / _DATABASE, unpacked / "master.key")
        except CryptoError as error:
            raise BackupError(f"{keys}: {error}") from error
        if (unpacked / _RULES).exists():
            layout.rules.rmdir()
            (unpacked / _RULES).rename(layout.rules)
        (unpacked / "master.key").rename(layout.master_key)
        if (unpacked / "liandun.toml").exists():
            (unpacked / "liandun.toml").rename(layout.root / "liandun.toml")
        (unpacked / _DATABASE).rename(layout.state_file)
    return names


def _check_they_fit(database: Path, key: Path) -> None:
    """Raises BackupError where the database has secrets that no generation in the key file opens."""
    here = {one.number for one in parse(key.read_bytes()).generations}
    needed: set[int] = set()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for column in COLUMNS:
            if column.model is Challenge:
                continue  # of no use ten minutes later
            table, name = column.model.__tablename__, column.value.key
            query = f"SELECT DISTINCT substr({name}, 1, 40) FROM {table} WHERE {name} LIKE ?"  # noqa: S608 — names of our own
            with contextlib.suppress(sqlite3.OperationalError):  # a table that this version has not had yet
                needed |= {generation_of(start) for (start,) in connection.execute(query, (MARK + "%",))}
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
            names = tar.getnames()
            tar.extractall(folder, filter="data")
    except (CryptoError, tarfile.TarError) as error:
        raise BackupError(f"{source}: {error}") from error
    archive.unlink()
    with contextlib.closing(sqlite3.connect(folder / _DATABASE)) as database:
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError(f"{source}: the database inside is damaged")
    return names
