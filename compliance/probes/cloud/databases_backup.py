"""Managed databases are backed up."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import bases, said

_DAYS = 7


def _judge(facts: Facts) -> Judgement:
    found = bases(facts)
    if not found:
        return not_applicable(Text("there is no managed database", "没有云数据库"))
    days = {one.id: said(one.backup_days, one, "how long backups are kept") for one in found}
    shown = {name: f"{name}: {kept} d" for name, kept in days.items()}
    bad = [shown[name] for name, kept in days.items() if not kept]
    weak = [shown[name] for name, kept in days.items() if 0 < kept < _DAYS]
    return judgement(bad, weak, shown.values())


PROBE = Probe(
    id="cloud.inventory.backups",
    way="cloud.inventory",
    source="cloud",
    items=("8.1.4.9.a",),
    objects=("data",),
    reads=("databases",),
    title=Text("Backups of managed databases", "云数据库备份"),
    criterion=Text("backups of managed databases are kept for seven days at least", "云数据库备份至少保留七天"),
    to_be_confirmed=True,
    reproduce="aliyun rds DescribeBackupPolicy --DBInstanceId …; hcloud RDS ListInstances",
    judge=_judge,
)
