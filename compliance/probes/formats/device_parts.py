"""Pieces that configurations of several dialects have in the same form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compliance.probes.formats.device import USUAL_IDLE, Block, Rule, Stored
from compliance.probes.formats.keyed import number

_NARROW = re.compile(r"\b(source|destination)(-ip)? (?!any\b)|-port|vlan|time-range|object-group|\bestablished")


def after(lines: list[str], word: str) -> str:
    """What follows ``word`` on the first line that begins with it; "" where there is none."""
    return next((line.removeprefix(word).strip() for line in lines if line.startswith(word)), "")


def idle(lines: list[str], word: str) -> int:
    """Seconds of ``word MINUTES [SECONDS]``; 0 = never; the usual ones where nothing is said."""
    words = after(lines, word).split()
    minutes = number(words[0]) if words else None
    if minutes is None:
        return USUAL_IDLE
    return minutes * 60 + ((number(words[1]) or 0) if len(words) > 1 else 0)


def stored(text: str) -> Stored:
    """How the secret of an account is kept."""
    if re.search(r"irreversible-cipher|\bhash \*|\bsecret (5|8|9|sha512)\b|\bsecret \*", text):
        return "hashed"
    if re.search(r"\bcipher \*|\bpassword 7 ", text):
        return "reversible"
    return "clear" if re.search(r"\bsimple \*|\bpassword( 0)? \*", text) else "hashed"


def clear(lines: list[str]) -> tuple[str, ...]:
    """Lines with a secret that anybody can read; communities of SNMP aside."""
    found = (line for line in lines if re.search(r"\bsimple \*\*\*|\b(password|key|key-string|pre-shared-key)( 0)? \*\*\*", line))
    return tuple(line for line in found if "community" not in line)


def open_rules(found: list[Block], word: str) -> Iterator[Rule]:
    """Rules of VRP and Comware that permit everything from everywhere to everywhere."""
    for block in found:
        if not block.head.startswith(word):
            continue
        for line in block.body:
            match = re.fullmatch(r"rule (?:\d+ )?permit(?: ip| ipv6)?(.*)", line)
            if match and not _NARROW.search(match[1]):
                yield Rule(block.head, line)


def rule_count(found: list[Block], word: str) -> int:
    """How many rules there are."""
    return sum(line.startswith("rule ") for block in found if block.head.startswith(word) for line in block.body)
