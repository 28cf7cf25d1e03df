"""Rules of sudoers(5): who may run what as whom, and with which tags. Aliases are put in."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from compliance.probes.facts import Unreadable

_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)")
_TAGS = re.compile(r"\b(NOPASSWD|PASSWD|NOEXEC|EXEC|SETENV|NOSETENV|LOG_INPUT|LOG_OUTPUT|MAIL|NOMAIL|FOLLOW|NOFOLLOW)\s*:\s*")


class Grant(msgspec.Struct, frozen=True):
    """``who`` may run ``commands``; ``is_all``: all of them."""

    who: str
    line: str
    is_all: bool
    without_password: bool


class Sudoers(msgspec.Struct, frozen=True):
    """Grants, and the settings of ``Defaults`` lines."""

    grants: list[Grant]
    defaults: list[str]


def sudoers(texts: Iterable[str]) -> Sudoers:
    """Of all files together. Raises Unreadable for what is no rule: sudo refuses a file with such a line as a whole."""
    aliases: dict[str, list[str]] = {}
    lines: list[str] = []
    for text in texts:
        for line in text.replace("\\\n", " ").splitlines():
            plain = " ".join(re.sub(r"(^|\s)#(?!\d).*", "", line).split())
            match = _ALIAS.fullmatch(plain)
            if match:
                for one in match[2].split(" : "):
                    name, _, members = one.partition("=")
                    aliases[name.strip()] = [member.strip() for member in members.split(",")]
            elif plain and not plain.startswith(("@include", "#include")):
                lines.append(plain)
    defaults = [line for line in lines if line.startswith("Defaults")]
    grants = [grant for line in lines if not line.startswith("Defaults") for grant in _grants(line, aliases)]
    return Sudoers(grants, defaults)


def _grants(line: str, aliases: dict[str, list[str]]) -> list[Grant]:
    left, equals, right = line.partition("=")
    if not equals or len(left.split()) < 2:
        raise Unreadable(f"{line[:80]!r} is no rule of sudoers", f"{line[:80]!r} 不是 sudoers 规则")
    users = left.rsplit(None, 1)[0]
    commands = re.sub(r"\([^)]*\)", "", right)
    bare = [one.strip() for one in _TAGS.sub("", commands).split(",")]
    told = [part for one in bare for part in aliases.get(one, [one])]
    who = [name for one in users.split(",") for name in aliases.get(one.strip(), [one.strip()])]
    return [Grant(name, line, "ALL" in told, "NOPASSWD" in commands) for name in who]
