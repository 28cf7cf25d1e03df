"""Audit records are not overwritten when the disk is full."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import keyed, number


def _judge(facts: Facts) -> Judgement:
    text = facts.files("audit-files").get("/etc/audit/auditd.conf")
    if text is None:
        return judgement([Text("auditd is not installed", "未安装 auditd")])
    found = keyed(text)
    action = found.get("max_log_file_action", "").lower()
    size, count = number(found.get("max_log_file")) or 0, number(found.get("num_logs")) or 0
    shown = f"max_log_file_action = {action or '-'}, max_log_file = {size}, num_logs = {count}"
    bad = [shown] if action in ("", "ignore", "suspend", "syslog") else []
    weak = [shown] if action == "rotate" and size * count < 1_024 else []
    full = found.get("disk_full_action", "").lower()
    weak += [f"disk_full_action = {full or '-'}"] if full in ("", "ignore") else []
    return judgement(bad, weak, [shown])


PROBE = Probe(
    id="host.audit_perms.full_disk",
    way="host.audit_perms",
    source="linux",
    items=("8.1.4.3.c",),
    reads=("audit-files",),
    title=Text("Audit records and a full disk", "审计记录不被覆盖"),
    criterion=Text(
        "auditd keeps its logs or has 1 GiB of them, and does something when the disk is full",
        "auditd 保留日志或容量不少于 1 GiB，磁盘写满时有动作",
    ),
    to_be_confirmed=True,
    reproduce="cat /etc/audit/auditd.conf",
    judge=_judge,
)
