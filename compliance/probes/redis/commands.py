"""Not everybody may empty or reconfigure it."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.redis import directives, one

_DANGEROUS = ("flushall", "flushdb", "config", "debug", "shutdown")


def _judge(facts: Facts) -> Judgement:
    found = directives(facts)
    renamed = {words[0].lower() for words in found.get("rename-command", []) if words}
    default = next((user for user in reversed(found.get("user", [])) if user[:1] == ["default"]), None)
    if default is not None and ("off" in default or {"-@dangerous", "-@all", "-@admin"} & set(default)):
        return judgement(good=[" ".join(["user", *default])])
    left = [name for name in _DANGEROUS if name not in renamed]
    if one(found, "enable-debug-command", "no") == "no" and "debug" in left:
        left.remove("debug")
    return judgement(weak=left, good=sorted(renamed))


PROBE = Probe(
    id="redis.grants.commands",
    way="db.grants",
    source="redis",
    items=("8.1.4.2.d",),
    objects=("database",),
    reads=("redis",),
    title=Text("Dangerous commands", "危险命令"),
    criterion=Text(
        "FLUSHALL, FLUSHDB, CONFIG and SHUTDOWN are renamed, or not for the default account",
        "FLUSHALL、FLUSHDB、CONFIG、SHUTDOWN 已改名，或默认账户不可用",
    ),
    to_be_confirmed=True,
    reproduce="grep -e ^rename-command -e ^user redis.conf",
    judge=_judge,
)
