"""The configuration that was read, by its dialect."""

from __future__ import annotations

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats import comware, ios, vrp
from compliance.probes.formats.device import Device

_READERS = {"huawei": vrp.read, "h3c": comware.read, "cisco": ios.read}


def device(facts: Facts) -> Device:
    """Raises Unreadable where it is none: no name, or neither a way in nor an account."""
    reader = _READERS.get(facts.text("dialect"))
    if reader is None:
        raise Unreadable("the dialect is not known", "不认识的配置方言")
    found = reader(facts.text("config"))
    if not found.name or not (found.access or found.users):
        raise Unreadable(
            "this is no whole configuration of this dialect: no name, or neither lines nor accounts",
            "不是该方言的完整配置：没有设备名，或既无线路也无账户",
        )
    return found
