"""Not every address may connect."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.redis import directives, is_local, one


def _judge(facts: Facts) -> Judgement:
    found = directives(facts)
    if is_local(found):
        return judgement(good=[f"bind {one(found, 'bind', '')}"])
    addresses = one(found, "bind", "*").split()
    everywhere = [address for address in addresses if address.lstrip("-") in ("*", "0.0.0.0", "::", "::*")]  # noqa: S104
    protected = one(found, "protected-mode", "yes") == "yes"
    shown = f"bind {' '.join(addresses)}, protected-mode {'yes' if protected else 'no'}"
    return judgement([shown] if everywhere and not protected else [], [shown] if everywhere or not protected else [], [shown])


PROBE = Probe(
    id="redis.grants.sources",
    way="db.grants",
    source="redis",
    items=("8.1.4.2.e", "8.1.4.4.c"),
    objects=("database",),
    reads=("redis",),
    title=Text("Addresses that may connect", "监听地址限制"),
    criterion=Text("it listens on named addresses, in protected mode", "只在指定地址监听，且启用 protected-mode"),
    reproduce="grep -e ^bind -e ^protected-mode redis.conf",
    judge=_judge,
)
