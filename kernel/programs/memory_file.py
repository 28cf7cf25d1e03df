"""A secret for another program, as a file that is on no disk: it is gone when the block is left, and when this process dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_file(content: bytes) -> Iterator[str]:
    """The path of an anonymous file in memory (memfd_create(2)) that only this account can open."""
    descriptor = os.memfd_create("liandun", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)  # ssh refuses a key that others may read
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)
