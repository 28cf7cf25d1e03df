"""Managed databases have no public address."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import bases, said


def _judge(facts: Facts) -> Judgement:
    found = bases(facts)
    if not found:
        return not_applicable(Text("there is no managed database", "没有云数据库"))
    bad = [one.id for one in found if said(one.public, one, "whether it has a public address")]
    return judgement(bad, good=[one.id for one in found])


PROBE = Probe(
    id="cloud.network_policy.databases",
    way="cloud.network_policy",
    source="cloud",
    items=("8.2.3.1.a",),
    objects=("cloud_platform",),
    reads=("databases",),
    title=Text("Addresses of managed databases", "云数据库公网地址"),
    criterion=Text("no managed database has a public address", "云数据库均未开通公网地址"),
    to_be_confirmed=True,
    reproduce="aliyun rds DescribeDBInstanceNetInfo --DBInstanceId …; hcloud RDS ListInstances",
    judge=_judge,
)
