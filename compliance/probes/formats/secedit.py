"""The security policy of a Windows host as ``secedit /export`` writes it: sections of an INF file.

``[System Access]`` has account policy, ``[Privilege Rights]`` accounts by user right (SIDs after *), ``[Registry Values]`` security
options as ``MACHINE\\path\\name=kind,value``. Keys are English on each Windows.
"""

from __future__ import annotations

import re

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number

_SECTION = re.compile(r"\[([^\]\n]{1,60})\]\s*$")
_WANTED = ("system access", "privilege rights", "registry values")


def policy(facts: Facts) -> dict[str, dict[str, str]]:
    """Values by key, by section; all in small letters but values. Raises Unreadable."""
    found = sections(facts.text("policy"))
    if not found.get("system access"):
        raise Unreadable("policy has no [System Access]", "安全策略中没有 [System Access]")
    return found


def sections(text: str) -> dict[str, dict[str, str]]:
    """Sections that matter here; a later line of a key counts."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        section = _SECTION.match(line.strip())
        if section:
            name = section[1].strip().lower()
            current = found.setdefault(name, {}) if name in _WANTED else None
        elif current is not None and "=" in line:
            key, _, value = line.partition("=")
            current[key.strip().lower()] = value.strip().strip('"')
    return found


def access(facts: Facts, *keys: str) -> list[int]:
    """Numbers of ``[System Access]``. Raises Unreadable where one is not there."""
    found = policy(facts)["system access"]
    values = [number(found.get(key.lower())) for key in keys]
    missing = [key for key, value in zip(keys, values, strict=True) if value is None]
    if missing:
        raise Unreadable(f"policy does not say {', '.join(missing)}", f"安全策略未给出 {', '.join(missing)}")
    return [value for value in values if value is not None]


def right(facts: Facts, name: str) -> tuple[str, ...]:
    """Who has a user right: SIDs, or names where they have none; nobody where it is not there. Raises Unreadable."""
    found = policy(facts)
    if not found.get("privilege rights"):
        raise Unreadable("policy has no [Privilege Rights]", "安全策略中没有 [Privilege Rights]")
    return tuple(one.strip().lstrip("*") for one in found["privilege rights"].get(name.lower(), "").split(",") if one.strip())


def option(found: dict[str, dict[str, str]], path: str) -> str | None:
    """A security option by its path below HKEY_LOCAL_MACHINE; None where the policy does not say it."""
    value = found.get("registry values", {}).get(f"machine\\{path}".lower())
    return None if value is None or "," not in value else value.partition(",")[2].strip().strip('"')
