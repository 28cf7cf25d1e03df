"""Files that a Windows host was exported to, as a target: a folder, or a ZIP of it.

They are told by what stands in them: ``secedit /export``, ``auditpol /get /category:* /r`` or ``/backup``, ``reg export`` (any
number), and the JSON of ``windows_export.ps1``. Files of other kinds are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats.encoded_text import decoded
from compliance.probes.formats.registry_file import HEADS, Registry, exported
from compliance.probes.formats.secedit import sections
from compliance.probes.reading import windows_script
from compliance.probes.reading.folder import files_of
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

_GUID = re.compile(r"0CCE92[0-9A-F]{2}-69AE-11D9-BED3-505054503030", re.IGNORECASE)
_HEAD = 4_000


class WindowsExport(msgspec.Struct, frozen=True):
    """``path``: a folder or a ZIP with the files of one host."""

    name: str
    path: Path
    sources: tuple[Source, ...] = ("windows",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError: nothing that is known is there, a file is too large, or two files say the same."""
        found: dict[str, Part] = {}
        registries: list[Registry] = []
        names: list[str] = []
        for name, octets in files_of(self.path):
            time_left.left()
            text = decoded(octets)
            if text.lstrip().startswith("{") and MARK in text[:_HEAD]:
                _add(found, windows_script.said(text, name), name)
            elif text.lstrip().startswith(HEADS):
                registries.append(exported(text))
                names.append(name)
            elif sections(text).get("system access"):
                _add(found, {"policy": Part(text, how=f"secedit /export ({name})")}, name)
            elif _GUID.search(text[:_HEAD]):
                _add(found, {"audit": Part(text, how=f"auditpol ({name})")}, name)
        if registries:
            found["registry"] = _joined(found.get("registry"), registries, names)
        if not found:
            hint = "it should hold files of secedit /export, auditpol /r, reg export or windows_export.ps1"
            raise LiandunError(f"{self.path.name} holds no export of a Windows host", hint)
        return found


MARK = windows_script.MARK.decode()


def _add(found: dict[str, Part], more: Mapping[str, Part], name: str) -> None:
    """What a file of its own says counts more than what the script could not. Raises LiandunError."""
    for part, said in more.items():
        if part in found and not found[part].problem and not said.problem:
            raise LiandunError(f"{name}: another file says {part} already", "export each host to a folder of its own")
        if part not in found or found[part].problem:
            found[part] = said


def _joined(said: Part | None, registries: list[Registry], names: list[str]) -> Part:
    known = [] if said is None or said.problem else [msgspec.json.decode(said.text, type=Registry)]
    whole = Registry().joined([*known, *registries])
    return Part(msgspec.json.encode(whole).decode(), how=f"reg export ({', '.join(names)})")
