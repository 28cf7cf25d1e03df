"""redis.conf as a target: its passwords are taken out while it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats.encoded_text import decoded
from compliance.probes.formats.redis import without_secrets
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

MOST = 4 << 20
"""Octets of a file."""


class RedisFile(msgspec.Struct, frozen=True):
    """``path``: the file that the server was started with."""

    name: str
    path: Path
    sources: tuple[Source, ...] = ("redis",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError."""
        try:
            with self.path.open("rb") as opened:
                octets = opened.read(MOST + 1)
        except OSError as error:
            raise LiandunError(f"{self.path.name}: {error.strerror}") from error
        if len(octets) > MOST:
            raise LiandunError(f"{self.path.name} is larger than {MOST >> 20} MiB (limit)")
        return {"redis": Part(without_secrets(decoded(octets)), how=self.path.name)}
