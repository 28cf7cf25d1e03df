"""Lines of ``stat -c '%a %U %G %n'``, and what is wrong with owner and permissions; ``-- PATH`` is one that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from compliance.probes.facts import Unreadable

_LINE = re.compile(r"([0-7]{1,5}) (\S.*?) (\S.*?) (/.*)")


class Mode(msgspec.Struct, frozen=True):
    """Permissions (bits), owner and group of a path."""

    bits: int
    owner: str
    group: str
    path: str

    def shown(self) -> str:
        """For people."""
        return f"{self.path} {self.bits:o} {self.owner}:{self.group}"


def modes(lines: Iterable[str]) -> list[Mode]:
    """Raises Unreadable where a path could not be looked at, and for what is no such line."""
    found = []
    for line in lines:
        if line.startswith("!! "):
            raise Unreadable(f"the login may not look at {line[3:]}", f"登录账户无权查看 {line[3:]}")
        if line.startswith("-- "):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Unreadable(f"{line[:80]!r} says no permissions", f"{line[:80]!r} 不是权限信息")
        found.append(Mode(int(match[1], 8), match[2], match[3], match[4]))
    return found


def too_open(found: Iterable[Mode], allowed: int, owners: tuple[str, ...] = ("root",)) -> list[str]:
    """Paths with more permissions than ``allowed`` or another owner, as texts."""
    return [mode.shown() for mode in found if mode.bits & 0o777 & ~allowed or mode.owner not in owners]
