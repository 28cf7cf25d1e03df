"""Audit rules cover users, their rights, time, logins and what runs with root's power."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import uncommented

_WANTED = {
    Text("accounts", "账户"): r"/etc/(passwd|shadow|group)\b",
    Text("grants of sudo", "sudo 授权"): r"/etc/sudoers",
    Text("commands as root", "特权命令"): r"-S (\S*,)?execve\b|euid=0|/usr/bin/su(do)?\b",
    Text("clock", "时间"): r"adjtimex|settimeofday|clock_settime|/etc/localtime",
    Text("logins", "登录"): r"/var/log/(lastlog|faillog|wtmp|btmp|tallylog)|/var/run/(utmp|faillock)|/run/(utmp|faillock)",
    Text("permissions", "权限变更"): r"\bchmod\b|\bchown\b|fchmodat",
    Text("deletions", "删除"): r"\bunlink(at)?\b|\brename(at)?\b",
}


def _judge(facts: Facts) -> Judgement:
    if facts.is_read("audit-rules"):
        lines = facts.lines("audit-rules")
    else:
        files = facts.files("audit-files")
        if not files:
            return judgement([Text("there are no audit rules", "没有审计规则")])
        lines = [line for path, text in files.items() if path.endswith(".rules") for line in uncommented(text)]
    rules = [line for line in lines if re.match(r"-(a|w|A)\b", line)]
    if not lines:
        raise Unreadable("auditctl says nothing", "auditctl 没有输出")
    missing = [name for name, pattern in _WANTED.items() if not any(re.search(pattern, rule) for rule in rules)]
    if len(missing) > len(_WANTED) // 2:
        return judgement(missing, lines=rules)
    return judgement(weak=missing, good=[f"{len(rules)} rules"], lines=rules)


PROBE = Probe(
    id="host.auditd_rules.coverage",
    way="host.auditd_rules",
    source="linux",
    items=("8.1.4.3.a",),
    reads=("audit-rules", "audit-files"),
    title=Text("Coverage of audit rules", "审计规则覆盖"),
    criterion=Text(
        "rules record accounts, grants, commands as root, clock, logins, permissions and deletions",
        "规则覆盖账户、授权、特权命令、时间、登录、权限变更与删除",
    ),
    to_be_confirmed=True,
    reproduce="auditctl -l",
    judge=_judge,
)
