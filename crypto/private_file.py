"""Files that hold keys: readable by their owner only, refused otherwise, replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from crypto.errors import SecretError

_LARGEST = 1 << 20


def read_private(path: Path) -> bytes:
    """What a private file holds. Raises FileNotFoundError, and SecretError where it is no plain file of this account's alone.

    The open file is looked at, not its name, so that nobody exchanges it in between. Root may read files of the account that their
    folder belongs to: the platform's own.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = "it is a symbolic link" if path.is_symlink() else error.strerror
        raise SecretError(f"the key file {path} cannot be read: {reason}") from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise SecretError(f"the key file {path} is no plain file")
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise SecretError(f"the key file {path} is open to others (mode {mode:04o}); run: chmod 600 {path}")
        if found.st_uid not in _owners(path):
            raise SecretError(
                f"the key file {path} belongs to another account (uid {found.st_uid}, this is {os.geteuid()}); "
                f"run as that account, or: chown {os.geteuid()} {path}"
            )
        return os.read(handle, _LARGEST)
    finally:
        os.close(handle)


def write_private(path: Path, content: bytes, *, new: bool = False) -> None:
    """Put ``content`` at ``path`` at once: on disk when this returns, and after a kill either the old or the new file is there.

    new  only where there is no file yet. Raises FileExistsError.
    Raises SecretError where it cannot be written. Written by root, the file goes to the account that owns the folder.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            give_to_folder(file.fileno(), path)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if new:
            os.link(temporary, path)  # unlike a rename it fails where there is one
        else:
            temporary.replace(path)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise SecretError(f"the key file {path} cannot be made: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_leftovers(path: Path) -> None:
    """Remove what a killed :func:`write_private` left, if this account may. Call it where nobody else writes ``path``."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            left.unlink()


def open_lock(path: Path) -> int:
    """A handle of the lock file at ``path``, which is made where there is none, and never emptied. Raises OSError.

    Root runs commands in folders that belong to the platform's account: a link there must not lead him to another file.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        give_to_folder(handle, path)
    except BaseException:
        os.close(handle)
        raise
    return handle


def give_to_folder(handle: int, path: Path) -> None:
    """Written by root, the open file at ``path`` goes to the account that owns the folder, which could not use it otherwise.

    Raises OSError where it is no plain file of one name: by another name it may be a file of somebody else's.
    """
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(errno.EMLINK, "it is no plain file with one name only", str(path))
    folder = path.parent.stat()
    if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (folder.st_uid, folder.st_gid):
        os.fchown(handle, folder.st_uid, folder.st_gid)


@contextlib.contextmanager
def only_one(path: Path, patience: float, busy: str) -> Iterator[None]:
    """Hold the lock file ``path``. It ends with the process, however that ends.

    Raises SecretError with the text ``busy`` where another process still holds it after ``patience`` seconds.
    """
    try:
        handle = open_lock(path)
    except OSError as error:
        raise SecretError(f"the lock file {path} cannot be made: {error.strerror}") from error
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise SecretError(busy) from error
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _owners(path: Path) -> set[int]:
    me = os.geteuid()
    return {me, path.parent.stat().st_uid} if me == 0 else {me}
