"""Log files can be read and written by root and its log group only."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.modes import modes

_OWNERS = ("root", "syslog")
_PUBLIC = ("/var/log", "/var/log/wtmp", "/var/log/lastlog", "/var/log/faillog")


def _judge(facts: Facts) -> Judgement:
    found = modes(facts.lines("log-modes"))
    if not any(one.path not in _PUBLIC for one in found):
        raise Unreadable("there is no log file where one is usual", "常见位置没有日志文件")
    bad = [one.shown() for one in found if one.bits & 0o002 or one.owner not in _OWNERS]
    bad += [one.shown() for one in found if one.bits & 0o004 and one.path.startswith("/var/log/audit")]
    weak = [one.shown() for one in found if one.bits & 0o004 and one.path not in _PUBLIC and one.shown() not in bad]
    return judgement(dict.fromkeys(bad), weak)


PROBE = Probe(
    id="host.audit_perms.log_files",
    way="host.audit_perms",
    source="linux",
    items=("8.1.4.3.c",),
    units=("6.3.5",),
    reads=("log-modes",),
    title=Text("Permissions of log files", "日志文件权限"),
    criterion=Text(
        "logs belong to root (or syslog), and others can neither read nor write them",
        "日志属主为 root（或 syslog），他人不可读写",
    ),
    to_be_confirmed=True,
    reproduce="stat -c '%a %U %G %n' /var/log/audit/* /var/log/auth.log /var/log/secure",
    judge=_judge,
)
