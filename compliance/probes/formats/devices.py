"""The configuration that was read, by its dialect."""

from __future__ import annotations

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats import comware, ios, vrp
from compliance.probes.formats.device import Device

_READERS = {"huawei": vrp.read, "h3c": comware.read, "cisco": ios.read}
_ENDS = {"huawei": ("return",), "h3c": ("return",), "cisco": ("end", ": end")}
"""The line that a device prints last; behind it may stand prompts of the terminal that it was taken from."""
_BEHIND = 5


def device(facts: Facts) -> Device:
    """Raises Unreadable where it is none, or not whole: no name, neither a way in nor an account, no end."""
    dialect, text = facts.text("dialect"), facts.text("config")
    reader = _READERS.get(dialect)
    if reader is None:
        raise Unreadable("the dialect is not known", "不认识的配置方言")
    found = reader(text)
    if not found.name or not (found.access or found.users):
        raise Unreadable(
            "this is no whole configuration of this dialect: no name, or neither lines nor accounts",
            "不是该方言的完整配置：没有设备名，或既无线路也无账户",
        )
    last = [line.rstrip() for line in text.splitlines() if line.strip()][-_BEHIND:]
    if not set(last) & set(_ENDS[dialect]):
        raise Unreadable(
            f"the configuration is cut off: no line {_ENDS[dialect][0]!r} at its end", f"配置不完整：末尾没有 {_ENDS[dialect][0]}"
        )
    return found
