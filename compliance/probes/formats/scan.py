"""What the scan of a host's files found: ``special`` or ``writable`` before permissions, ``unseen KIND PATH`` for mounts."""

from __future__ import annotations

import msgspec

from compliance.probes.contract import Text
from compliance.probes.facts import Facts
from compliance.probes.formats.modes import Mode, modes


class Scan(msgspec.Struct, frozen=True):
    """``found`` of one kind; ``lines``: evidence; ``unseen``: file systems that were not entered, for people."""

    found: list[Mode]
    lines: list[str]
    unseen: list[Text]


def scan(facts: Facts, kind: str) -> Scan:
    """Raises Unreadable where the scan did not come to its end."""
    told = facts.counted("scan")
    lines = [line for line in told if line.startswith(f"{kind} ")]
    unseen = [line for line in told if line.startswith("unseen ")]
    return Scan(
        modes(line.removeprefix(f"{kind} ") for line in lines),
        lines + unseen,
        [Text(f"not looked at: {shown}", f"未检查：{shown}") for shown in map(_mount, unseen)],
    )


def _mount(line: str) -> str:
    _, kind, path = line.split(" ", 2)
    return f"{path} ({kind})"
