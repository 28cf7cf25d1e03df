"""The archive inside of a backup: database, rules, configuration. Links are followed when it is made, so it stands for itself.

Whoever restores takes plain files and folders under the names that a backup has, and nothing else: a backup is sealed, not signed,
so anybody who has the officer's public key can make one. A symbolic link never comes out of :func:`write_archive`.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

RULES, CONFIG = "rules", "liandun.toml"


def write_archive(archive: Path, database: Path, rules: Path, config: Path | None) -> None:
    """``database``: the file or folder of the copied database. Raises OSError."""
    with tarfile.open(archive, "w", dereference=True) as tar:
        tar.add(database, database.name)
        if rules.exists():
            for path in _walk(rules.resolve(), ()):
                tar.add(path.resolve(), str(RULES / path.relative_to(rules.resolve())), recursive=False)
        if config is not None:
            tar.add(config.resolve(strict=True), CONFIG)


def check_members(tar: tarfile.TarFile, databases: tuple[str, ...]) -> list[str]:
    """The names inside. Raises tarfile.TarError for a link, a device, a file with holes (which a few bytes make as large as the
    disk), or a name that no backup has.
    """
    for member in tar.getmembers():
        first, _, rest = member.name.partition("/")
        known = first in (RULES, *databases) or (first == CONFIG and not rest)
        # Earlier versions wrote two rules that are one file on disk as a hard link; the filter sees to it that it stays inside.
        plain = member.isdir() or member.islnk() or (member.isreg() and not member.issparse())
        if not known or not plain or ".." in member.name.split("/"):
            raise tarfile.TarError(f"{member.name!r} does not belong into a backup")
    return tar.getnames()


def make_private(folder: Path) -> None:
    """What was unpacked belongs to its owner only: the data directory itself may be passed through by others."""
    for path, folders, files in os.walk(folder):
        for name in folders:
            Path(path, name).chmod(0o700)
        for name in files:
            if not Path(path, name).is_symlink():
                Path(path, name).chmod(0o600)


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """The folder and all folders and plain files in it; a link to a folder that it lies in is left out, and one to nothing."""
    yield folder
    for path in sorted(folder.iterdir()):
        real = path.resolve()
        if path.is_file():
            yield path
        elif path.is_dir() and real not in (*above, folder.resolve()):
            yield from _walk(path, (*above, folder.resolve()))
