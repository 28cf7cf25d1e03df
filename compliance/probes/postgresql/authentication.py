"""Nobody gets in without a proof that can be trusted (pg_hba.conf)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import hba

_WORTHLESS, _OLD = ("trust",), ("password", "md5", "ident", "pam")


def _judge(facts: Facts) -> Judgement:
    rules = hba(facts)
    bad = [rule.shown() for rule in rules if rule.method in _WORTHLESS]
    bad += [rule.shown() for rule in rules if rule.method in ("password", "ident") and rule.is_remote and rule.type != "hostssl"]
    weak = [rule.shown() for rule in rules if rule.method in _OLD and rule.shown() not in bad]
    return judgement(bad, weak, lines=[rule.shown() for rule in rules])


PROBE = Probe(
    id="db.accounts.authentication",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("hba",),
    title=Text("Authentication", "身份鉴别方式"),
    criterion=Text(
        "pg_hba.conf trusts nobody, and remote logins use SCRAM, certificates or a directory",
        "pg_hba.conf 不使用 trust，远程登录用 SCRAM、证书或目录服务",
    ),
    reproduce="SELECT * FROM pg_hba_file_rules",
    judge=_judge,
)
