"""Key files: who may read them, and that they are replaced as a whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import SecretError
from crypto.private_file import only_one, open_lock, read_private, remove_leftovers, write_private


def test_mode_and_content(tmp_path: Path) -> None:
    path = tmp_path / "key"
    previous = os.umask(0)  # the mode does not depend on it
    try:
        write_private(path, b"one")
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_private(path) == b"one"
    write_private(path, b"two")
    assert read_private(path) == b"two"
    with pytest.raises(FileExistsError):
        write_private(path, b"three", new=True)
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_open_to_others(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    write_private(path, b"x")
    path.chmod(mode)
    with pytest.raises(SecretError, match=f"mode {mode:04o}.*chmod 600"):
        read_private(path)


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"x")
    (tmp_path / "link").symlink_to("key")
    with pytest.raises(SecretError, match="symbolic link"):
        read_private(tmp_path / "link")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SecretError, match="no plain file"):
        read_private(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="no plain file"):
        read_private(tmp_path / "pipe")  # and does not wait for a writer
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "missing")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owners(tmp_path: Path) -> None:
    """Root reads the platform's own files and leaves them to the platform; a third account's file is refused."""
    folder = tmp_path / "secret"
    folder.mkdir(mode=0o700)
    os.chown(folder, 4001, 4001)
    write_private(folder / "key", b"x")
    found = (folder / "key").stat()
    assert (found.st_uid, found.st_gid) == (4001, 4001)
    assert read_private(folder / "key") == b"x"
    os.chown(folder / "key", 4002, 4002)
    with pytest.raises(SecretError, match=r"belongs to another account \(uid 4002"):
        read_private(folder / "key")


def _hold(path: Path, seconds: float, ready: multiprocessing.synchronize.Event) -> None:
    with only_one(path, 0.0, "busy"):
        ready.set()
        time.sleep(seconds)


def test_only_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "lock", 30.0, ready))
    other.start()
    assert ready.wait(20)
    with pytest.raises(SecretError, match="busy"), only_one(tmp_path / "lock", 0.2, "busy"):
        pass
    assert other.pid is not None
    other.kill()
    other.join()
    with only_one(tmp_path / "lock", 5.0, "busy"):  # the lock went with its process
        pass


def test_leftovers_of_a_killed_writer(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"x")
    left = tmp_path / ".key.4711.00000000.tmp"
    left.write_bytes(b"half")
    remove_leftovers(tmp_path / "key")
    assert not left.exists()
    assert read_private(tmp_path / "key") == b"x"


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_a_lock_leads_to_no_other_file(tmp_path: Path, make: Callable[[Path, Path], None]) -> None:
    """Root runs commands in folders of the platform's account, which must not get a file of root's by that."""
    other, lock = tmp_path / "other", tmp_path / "lock"
    other.write_text("of somebody else")
    before = other.stat()
    make(other, lock)
    with pytest.raises(SecretError, match="lock file"), only_one(lock, 0, "busy"):
        pass
    with pytest.raises(OSError):
        open_lock(lock)
    assert (other.read_text(), other.stat().st_uid) == ("of somebody else", before.st_uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_goes_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 4711, 4711)
    os.close(open_lock(tmp_path / "lock"))
    assert (tmp_path / "lock").stat().st_uid == 4711
