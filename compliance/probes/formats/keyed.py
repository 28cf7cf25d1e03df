"""Lines of the kind ``key value`` or ``key = value`` with comments after #: login.defs, sshd -T, auditd.conf, pwquality.conf."""

from __future__ import annotations

from collections.abc import Iterable


def uncommented(text: str) -> list[str]:
    """Lines without comments and blanks around; lines that end in a backslash go on with the next."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        kept = line.partition("#")[0].strip()
        if kept:
            found.append(kept)
    return found


def keyed(text: str) -> dict[str, str]:
    """Values by key in small letters; the last one counts. A key alone has the value ""."""
    found: dict[str, str] = {}
    for line in uncommented(text):
        key, _, value = line.replace("=", " ", 1).partition(" ") if "=" in line else line.replace("\t", " ").partition(" ")
        found[key.strip().lower()] = value.strip().strip('"')
    return found


def together(texts: Iterable[str]) -> dict[str, str]:
    """Several files of which a later one counts more."""
    found: dict[str, str] = {}
    for text in texts:
        found |= keyed(text)
    return found


def number(text: str | None) -> int | None:
    """A whole number (minus allowed), None where it is none."""
    plain = (text or "").strip()
    digits = plain[1:] if plain.startswith("-") else plain
    return int(plain) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else None
