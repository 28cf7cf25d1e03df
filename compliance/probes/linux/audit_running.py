"""The audit system of the kernel is on."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts


def _judge(facts: Facts) -> Judgement:
    processes = facts.listed("processes")
    if "auditd" not in processes:
        return judgement([Text("auditd does not run", "auditd 未运行")])
    if not facts.is_read("audit-status"):
        return judgement(weak=[Text("auditd runs; its status could not be asked", "auditd 在运行，但无法查询其状态")])
    status = facts.text("audit-status")
    enabled = re.search(r"^enabled (\d)", status, re.MULTILINE)
    lost = re.search(r"^lost (\d+)", status, re.MULTILINE)
    bad = [] if enabled and enabled[1] in "12" else ["enabled 0"]
    weak = [f"lost {lost[1]}"] if lost and int(lost[1]) else []
    return judgement(bad, weak, [f"enabled {enabled[1] if enabled else '?'}"])


PROBE = Probe(
    id="host.auditd_rules.running",
    way="host.auditd_rules",
    source="linux",
    items=("8.1.4.3.a",),
    reads=("processes", "audit-status"),
    title=Text("Auditing runs", "审计功能启用"),
    criterion=Text("auditd runs, auditing is enabled, and no record was lost", "auditd 在运行、审计已启用且没有丢失记录"),
    reproduce="auditctl -s; systemctl status auditd",
    judge=_judge,
)
