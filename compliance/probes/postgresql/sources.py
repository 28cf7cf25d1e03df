"""Not every address may connect."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import hba


def _judge(facts: Facts) -> Judgement:
    rules = [rule for rule in hba(facts) if rule.method != "reject"]
    bad = [rule.shown() for rule in rules if rule.is_from_anywhere and "all" in (rule.users or "").split(",")]
    weak = [rule.shown() for rule in rules if rule.is_from_anywhere and rule.shown() not in bad]
    return judgement(bad, weak, lines=[rule.shown() for rule in rules])


PROBE = Probe(
    id="db.grants.sources",
    way="db.grants",
    source="postgresql",
    items=("8.1.4.2.e",),
    objects=("database",),
    reads=("hba",),
    title=Text("Addresses that may connect", "连接来源限制"),
    criterion=Text(
        "rules of pg_hba.conf name networks and roles; none is for all of both",
        "pg_hba.conf 规则限定网络与角色，不对全部地址和全部角色开放",
    ),
    reproduce="SELECT * FROM pg_hba_file_rules",
    judge=_judge,
)
