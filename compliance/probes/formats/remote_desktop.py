"""Settings of remote desktop: those of group policy count before those of the station."""

from __future__ import annotations

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.registry_file import STATION, TERMINAL, TERMINAL_POLICY, value


def is_off(facts: Facts) -> bool:
    """Whether nobody gets in by it. Raises Unreadable."""
    return _number(facts, "fDenyTSConnections", TERMINAL, 1) == 1


def setting(facts: Facts, name: str, otherwise: int) -> int:
    """A setting of the station; ``otherwise``: what holds where it is not set. Raises Unreadable."""
    return _number(facts, name, STATION, otherwise)


def _number(facts: Facts, name: str, key: str, otherwise: int) -> int:
    text = value(facts, TERMINAL_POLICY, name)
    if text is None:
        text = value(facts, key, name)
    if text is None:
        return otherwise
    found = number(text)
    if found is None:
        raise Unreadable(f"{name} is no number: {text[:40]}", f"{name} 不是数字：{text[:40]}")
    return found
