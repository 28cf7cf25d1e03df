"""A backup was restored for a test."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Backups, days_between

DAYS = 366


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("backups", Backups)
    if found.restored and days_between(found.restored, found.at) <= DAYS:
        return judgement(
            good=[Text(f"restored at {found.restored} by {found.restored_by}", f"{found.restored} 由 {found.restored_by} 恢复验证")]
        )
    if found.checked and days_between(found.checked, found.at) <= DAYS:
        return judgement(weak=[Text(f"opened and checked at {found.checked}, not restored", f"{found.checked} 校验过，未做恢复")])
    return judgement([Text("no restore was tested within a year", "一年内没有恢复验证")])


PROBE = Probe(
    id="backup.restore_test.year",
    way="backup.restore_test",
    source="platform",
    items=("8.1.4.9.a", "8.1.10.11.c"),
    objects=("data", "document"),
    reads=("backups",),
    title=Text("Restore tests", "恢复验证"),
    criterion=Text(
        "a backup was restored for a test within a year; opened and checked only is partly",
        "一年内做过恢复验证；仅打开校验为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="console, Audit: backup.restored; ./liandun backup tested",
    judge=_judge,
)
