"""redis.conf: directives with their arguments, a later one counts (those that may stand more than once are all kept), no secret.

``***default***`` stands for a password that is empty, short or known to everybody, ``***set***`` for another one.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from compliance.probes.facts import Facts, Unreadable

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|(\S+)')
_SECRET = ("requirepass", "masterauth", "tls-key-file-pass", "tls-client-key-file-pass")
_KNOWN = frozenset({"", "foobared", "redis", "password", "123456", "admin"})
_SHORTEST = 8
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def without_secrets(text: str) -> str:
    """The directives of a file, one a line: no comments, no passwords."""
    return "".join(f"{' '.join(words)}\n" for line in text.splitlines() if (words := _plain(line)))


def directives(facts: Facts) -> dict[str, list[list[str]]]:
    """Arguments by name in small letters, in the order of the file. Raises Unreadable."""
    found: dict[str, list[list[str]]] = {}
    for line in facts.listed("redis"):
        name, *arguments = line.split(" ")
        found.setdefault(name, []).append(arguments)
    if not {"port", "bind", "dir", "databases", "save", "appendonly", "protected-mode", "requirepass"} & set(found):
        raise Unreadable("this is no redis.conf", "不是 redis.conf")
    if "include" in found:
        raise Unreadable("it includes other files, which were not read", "包含其他文件，未读取")
    return found


def one(found: dict[str, list[list[str]]], name: str, otherwise: str) -> str:
    """The last arguments of a directive, or what holds where it is not there."""
    return " ".join(found[name][-1]) if name in found else otherwise


def is_local(found: dict[str, list[list[str]]]) -> bool:
    """Whether it listens on the host itself only."""
    return "bind" in found and _all_local(found["bind"][-1])


def _all_local(addresses: Collection[str]) -> bool:
    return bool(addresses) and all(address.lstrip("-") in _LOOPBACK for address in addresses)


def _plain(line: str) -> list[str]:
    line = line.strip()
    if not line or line.startswith("#"):
        return []
    words = [next(part for part in match if part or part == match[2]) for match in _WORD.findall(line)]
    name = words[0].lower()
    if name in _SECRET:
        secret = words[1] if len(words) > 1 else ""
        return [name, "***default***" if secret in _KNOWN or len(secret) < _SHORTEST else "***set***"]
    if name == "user":
        return [name, *(f"{word[0]}***" if word[:1] in "><#!" else word for word in words[1:] if word)]
    if name == "rename-command" and len(words) > 2 and words[2]:
        return [name, words[1], "***"]  # who knows the new name may use it
    return [name, *words[1:]]
