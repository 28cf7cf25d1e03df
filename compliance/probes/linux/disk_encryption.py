"""Data on disks, and in swap, is encrypted."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable


def _judge(facts: Facts) -> Judgement:
    lines = facts.listed("disks")
    rows = [line.split(" ") for line in lines if not line.startswith(("Filename", "/"))]
    if not any(len(row) > 1 and row[1] == "disk" for row in rows):
        raise Unreadable("lsblk shows no disk", "lsblk 未列出磁盘")
    crypt = [row[0] for row in rows if len(row) > 2 and (row[1] == "crypt" or row[2] == "crypto_LUKS")]
    swaps = [line.split()[0] for line in lines if line.startswith("/") and not line.startswith(("/dev/zram", "/dev/dm-"))]
    if not crypt:
        return judgement([Text("no disk is encrypted", "没有加密的磁盘")])
    return judgement(weak=[Text(f"swap in clear: {one}", f"交换区未加密：{one}") for one in swaps], good=crypt)


PROBE = Probe(
    id="host.disk_encryption.volumes",
    way="host.disk_encryption",
    source="linux",
    items=("8.1.4.8.b",),
    reads=("disks",),
    title=Text("Encrypted volumes", "磁盘加密"),
    criterion=Text(
        "volumes of the host are encrypted (encryption by the database or the array is for a person to say)",
        "主机卷已加密（由数据库或存储加密的由人判定）",
    ),
    to_be_confirmed=True,
    reproduce="lsblk -f; cat /proc/swaps",
    judge=_judge,
)
