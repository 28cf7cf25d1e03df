"""Files for another program that are on no disk: they are gone when the block is left, and when this process dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
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


@contextmanager
def memory_log() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The path of such a file for a program to write to, and what reads its first 4,096 bytes."""
    descriptor = os.memfd_create("liandun", os.MFD_CLOEXEC)
    try:
        yield f"/proc/{os.getpid()}/fd/{descriptor}", lambda: os.pread(descriptor, 4_096, 0)
    finally:
        os.close(descriptor)
