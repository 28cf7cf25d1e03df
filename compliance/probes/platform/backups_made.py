"""The state is backed up."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Backups, days_between

DAYS, MOST_DAYS = 7, 31


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("backups", Backups)
    if not found.made:
        return judgement([Text("no backup was made", "没有备份记录")])
    days = days_between(found.made, found.at)
    told = Text(f"last backup {days:.0f} days ago", f"最近备份在 {days:.0f} 天前")
    return judgement([told] if days > MOST_DAYS else [], [told] if days > DAYS else [], [told])


PROBE = Probe(
    id="backup.jobs.recent",
    way="backup.jobs",
    source="platform",
    items=("8.1.4.9.a", "8.1.10.11.b"),
    objects=("data", "document"),
    reads=("backups",),
    title=Text("Backups", "备份"),
    criterion=Text(
        "the state was backed up within a week; within a month is partly",
        "一周内有备份；一个月内为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="console, Audit: backup.create; ./liandun backup create",
    judge=_judge,
)
