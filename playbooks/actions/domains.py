"""Names that may be diverted, as they are written into the configuration of a DNS server."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kernel.indicators.values import domain
from playbooks.actions.contract import ActionError

_SUFFIX = re.compile(r"(?:com|net|org|gov|edu|ac|co|mil)\.[a-z]{2}")
"""Under these anybody, or everybody of a country, has names."""
_PLAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9-]*[a-z0-9]", re.ASCII)


def divertible(text: str, protected: Iterable[str]) -> str:
    """A name in lower case, as DNS carries it. Raises ActionError(COMMAND_WRONG or NOT_ALLOWED).

    Refused are names that half a country lies below, and those of ``protected`` with everything above and below them.
    """
    try:
        name = domain(text.strip()).removeprefix("*.")
    except ValueError as error:
        raise ActionError(str(error), code="COMMAND_WRONG") from error
    if not _PLAIN.fullmatch(name):
        raise ActionError(f"{text[:80]!r} is no domain name", code="COMMAND_WRONG")
    if _SUFFIX.fullmatch(name):
        raise ActionError(f"everybody's names lie below {name}", "divert the single name", code="NOT_ALLOWED")
    for one in protected:
        if _touch(name, one.lower().rstrip(".")):
            raise ActionError(f"{name} is protected ({one})", "[playbooks] protected_domains", code="NOT_ALLOWED")
    return name


def _touch(name: str, other: str) -> bool:
    return f".{name}".endswith(f".{other}") or f".{other}".endswith(f".{name}")
