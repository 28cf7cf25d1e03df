"""What probes are run on: a name, the probes' kind of source, and a way to read parts of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.reading.host import Shell, look
from kernel.programs.time_left import TimeLeft


class Target(Protocol):
    """One object. ``sources``: kinds of probes that fit it."""

    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> tuple[Source, ...]: ...

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Read it once, without changing it. Raises LiandunError where nothing of it can be read."""
        ...


class LinuxHost(msgspec.Struct, frozen=True):
    """A Linux host, with its nginx where there is one."""

    name: str
    shell: Shell
    sources: tuple[Source, ...] = ("linux", "nginx")

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return look(self.shell, parts, time_left)


class Taken(msgspec.Struct, frozen=True):
    """What was read before, to be judged again."""

    name: str
    sources: tuple[Source, ...]
    parts: dict[str, Part]

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return self.parts
