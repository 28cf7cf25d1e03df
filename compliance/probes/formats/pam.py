"""PAM stacks (pam.conf(5)): what a service asks, with its includes, on Debian (common-*) and on RHEL-like systems (system-auth)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from compliance.probes.formats.keyed import number

_LINE = re.compile(r"(-?\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)")
_DEEPEST = 8
_COMMON = ("system-auth", "password-auth", "common-auth", "common-account", "common-password", "login", "sshd")


class Rule(msgspec.Struct, frozen=True):
    """A module of a stack with its arguments."""

    control: str
    module: str
    arguments: tuple[str, ...]

    def value(self, name: str) -> str | None:
        """Of ``name=value``; "" where the name stands alone; None where it is not there."""
        for argument in self.arguments:
            key, _, value = argument.partition("=")
            if key == name:
                return value
        return None

    def number(self, name: str) -> int | None:
        """A number of ``name=number``."""
        return number(self.value(name))


def stack(files: Mapping[str, str], service: str, kind: str) -> list[Rule]:
    """The rules of ``kind`` (auth, account, password, session) for a service, includes followed."""
    return list(_rules(files, service, kind, 0))


def everywhere(files: Mapping[str, str], kind: str, *modules: str) -> list[Rule]:
    """Rules of a kind with one of ``modules`` (``pam_x`` without .so) in the stacks that logins share."""
    found: list[Rule] = []
    for service in _COMMON:
        found += [rule for rule in stack(files, service, kind) if rule.module in modules and rule not in found]
    return found


def _rules(files: Mapping[str, str], service: str, kind: str, depth: int) -> Iterator[Rule]:
    text = _file(files, service)
    if text is None or depth > _DEEPEST:
        return
    for line in text.replace("\\\n", " ").splitlines():
        plain = line.partition("#")[0].strip()
        if plain.startswith("@include"):
            yield from _rules(files, plain[8:].strip(), kind, depth + 1)
            continue
        match = _LINE.fullmatch(plain)
        if match is None or match[1].lstrip("-").lower() != kind:
            continue
        control, module, rest = match[2], match[3], match[4]
        if control in ("include", "substack"):
            yield from _rules(files, module, kind, depth + 1)
        else:
            yield Rule(control, module.rpartition("/")[2].removesuffix(".so"), tuple(rest.split()))


def _file(files: Mapping[str, str], service: str) -> str | None:
    for folder in ("/etc/pam.d/", "/usr/lib/pam.d/"):
        if folder + service in files:
            return files[folder + service]
    return None
