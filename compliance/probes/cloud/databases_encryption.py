"""Managed databases are encrypted: TDE, or their disk."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import bases, said


def _judge(facts: Facts) -> Judgement:
    found = bases(facts)
    if not found:
        return not_applicable(Text("there is no managed database", "没有云数据库"))
    bad = [one.id for one in found if not said(one.encrypted, one, "whether it is encrypted")]
    return judgement(bad, good=[one.id for one in found])


PROBE = Probe(
    id="cloud.kms.databases",
    way="cloud.kms",
    source="cloud",
    items=("8.1.4.8.b",),
    objects=("cloud_platform", "system_software"),
    reads=("databases",),
    title=Text("Encryption of managed databases", "云数据库加密"),
    criterion=Text("every managed database is encrypted (TDE, or its disk)", "云数据库均启用透明加密或磁盘加密"),
    to_be_confirmed=True,
    reproduce="aliyun rds DescribeDBInstanceTDE --DBInstanceId …; hcloud RDS ListInstances",
    judge=_judge,
)
