"""The compile cache: small files named by the hash of what they were made from.

It holds only data (MessagePack trees, serialised automata), each with a checksum in front, in a folder of mode 0700 that belongs to
this user. A folder that others can write to is not used: a serialised automaton is trusted input for Hyperscan.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
_DIGEST = 32


class Artifacts:
    """Keyed blobs in ``folder``; without a folder nothing is kept. ``in_memory``: what was made from blobs, to be used again (the
    classes of process creations need the same automata)."""

    def __init__(self, folder: Path | None = None) -> None:
        self.in_memory: dict[str, Any] = {}
        self.folder = _private(folder) if folder is not None else None

    @staticmethod
    def key(kind: str, *parts: str | bytes | int) -> str:
        """File name for a blob of ``kind`` made from ``parts``."""
        digest = hashlib.blake2b(kind.encode(), digest_size=_DIGEST)
        for part in parts:
            encoded = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return f"{kind}-{digest.hexdigest()}"

    def read(self, key: str) -> bytes | None:
        """The blob, or None where it is absent or damaged."""
        if self.folder is None:
            return None
        try:
            stored = (self.folder / key).read_bytes()
        except OSError:
            return None
        blob = stored[_DIGEST:]
        return blob if hashlib.blake2b(blob, digest_size=_DIGEST).digest() == stored[:_DIGEST] else None

    def write(self, key: str, blob: bytes) -> None:
        """Keep a blob (atomically). A cache that cannot be written only costs time, so it is logged, not raised."""
        if self.folder is None:
            return
        try:
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(hashlib.blake2b(blob, digest_size=_DIGEST).digest() + blob)
            os.replace(file.name, self.folder / key)
        except OSError as error:
            _log.warning("compile cache %s cannot be written: %s", self.folder, error)
            self.folder = None

    def trim(self, keep: Mapping[str, int]) -> None:
        """Remove the oldest blobs of each kind but ``keep`` of them, so that changed rules do not fill the folder."""
        if self.folder is None:
            return
        try:
            for kind, count in keep.items():
                files = sorted(self.folder.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
                for path in files[count:]:
                    path.unlink(missing_ok=True)
        except OSError as error:  # another process trims it too
            _log.debug("compile cache %s not trimmed: %s", self.folder, error)


def _private(folder: Path) -> Path | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        _log.warning("compile cache %s cannot be used: %s", folder, error)
        return None
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        _log.warning("compile cache %s is not used: it must belong to this user and be writable by nobody else", folder)
        return None
    return folder
