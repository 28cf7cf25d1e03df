"""A file that holds some room on the disk, so that retention can still note what it drops when the disk is full.

Dropping segments frees room, but first the manifest has to say so, and that takes some pages of SQLite's journal.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from kernel.store.lake.segment import discard

log = logging.getLogger(__name__)

BYTES = 4 << 20
"""Notes of some ten thousand segments."""
_PLENTY = 4
"""So many times the reserve must be free before it is taken."""


def keep(root: Path) -> None:
    """Make the reserve where there is none and the disk has room enough; never an error."""
    path = root / "reserve"
    if path.exists():
        return
    try:
        if shutil.disk_usage(root).free < _PLENTY * BYTES:
            return
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BYTES)
    except OSError as error:
        log.warning("no reserve could be made on the disk: %s", error.strerror)
        discard(path)


def release(root: Path) -> bool:
    """Give the room back; False when there was none."""
    path = root / "reserve"
    if not path.exists():
        return False
    log.warning("the disk is full: the reserve is given to retention")
    discard(path)
    return True
