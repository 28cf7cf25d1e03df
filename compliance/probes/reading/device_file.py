"""A configuration file of a network device, as a target: its secrets are taken out while it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats.device import Dialect
from compliance.probes.formats.device_secrets import without_secrets
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

MOST = 16 << 20
"""Octets of a configuration."""


class DeviceFile(msgspec.Struct, frozen=True):
    """``text`` is a whole configuration, with its secrets."""

    name: str
    dialect: Dialect
    text: str
    sources: tuple[Source, ...] = ("network_device",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return {"config": Part(without_secrets(self.text), how=f"configuration of {self.name}"), "dialect": Part(self.dialect)}

    def __repr__(self) -> str:
        """Without the configuration."""
        return f"DeviceFile({self.name!r})"


def device_file(path: Path, dialect: Dialect) -> DeviceFile:
    """Of a file in UTF-8 or GB 18030. Raises LiandunError."""
    try:
        with path.open("rb") as opened:
            octets = opened.read(MOST + 1)
    except OSError as error:
        raise LiandunError(f"{path}: {error.strerror}") from error
    if len(octets) > MOST:
        raise LiandunError(f"{path} is larger than {MOST >> 20} MiB (limit)")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("gb18030", "replace")
    return DeviceFile(path.name, dialect, text)
