"""Audit rules cannot be changed while the host runs."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import uncommented


def _judge(facts: Facts) -> Judgement:
    if facts.is_read("audit-status"):
        found = re.search(r"^enabled (\d)", facts.text("audit-status"), re.MULTILINE)
        shown = f"enabled {found[1] if found else '?'}"
        return judgement(good=[shown]) if found and found[1] == "2" else judgement([shown])
    files = facts.files("audit-files")
    lines = [line for path, text in sorted(files.items()) if path.endswith(".rules") for line in uncommented(text)]
    if "-e 2" in lines:
        return judgement(
            weak=[Text("-e 2 is configured; whether it is in force could not be asked", "已配置 -e 2，是否生效无法查询")]
        )
    return judgement([Text("no -e 2", "未设置 -e 2")])


PROBE = Probe(
    id="host.audit_process.locked",
    way="host.audit_process",
    source="linux",
    items=("8.1.4.3.d",),
    reads=("audit-status", "audit-files"),
    title=Text("Auditing is locked", "审计进程受保护"),
    criterion=Text("auditing is locked until the next start (enabled 2)", "审计配置锁定至下次启动（enabled 2）"),
    to_be_confirmed=True,
    reproduce="auditctl -s",
    judge=_judge,
)
