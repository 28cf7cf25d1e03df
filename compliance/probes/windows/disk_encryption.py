"""Volumes are encrypted."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import Volume, rows


def _judge(facts: Facts) -> Judgement:
    found = rows(facts, "volumes", Volume)
    open_ones = [one.mount for one in found if not one.protected or one.percent < 100]
    weak = [Text(f"{name} is not", f"{name} 未加密") for name in open_ones]
    return judgement(weak if len(open_ones) == len(found) else [], weak, [one.mount for one in found])


PROBE = Probe(
    id="windows.disk_encryption.volumes",
    way="host.disk_encryption",
    source="windows",
    items=("8.1.4.8.b",),
    reads=("volumes",),
    title=Text("Disk encryption", "磁盘加密"),
    criterion=Text(
        "volumes are encrypted by BitLocker (encryption by the database or the array is for a person to say)",
        "卷已由 BitLocker 加密（由数据库或存储加密的由人判定）",
    ),
    to_be_confirmed=True,
    reproduce="Get-BitLockerVolume; manage-bde -status",
    judge=_judge,
)
