"""A Windows host that is asked with the export script; how a script gets there is handed in (WinRM: cli/compliance_winrm.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.reading import windows_script
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft


class Console(Protocol):
    """Where PowerShell takes a script."""

    @property
    def longest(self) -> int:
        """Letters that one script may have."""
        ...

    def run(self, script: str, time_left: TimeLeft) -> str:
        """What it says on its standard output. Raises LiandunError."""
        ...


class WindowsHost(msgspec.Struct, frozen=True):
    """Asked in some scripts, one after the other, each of which begins anew."""

    name: str
    console: Console
    sources: tuple[Source, ...] = ("windows",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        found: dict[str, Part] = {}
        for wanted, script in windows_script.scripts(parts, self.console.longest):
            answer = self.console.run(script, time_left)
            try:
                found |= windows_script.said(answer, self.name)
            except LiandunError as error:  # cut off, or no answer of the script: the others may still come
                found |= {name: Part("", error.message) for name in wanted}
        return found
