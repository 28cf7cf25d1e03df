"""What happens is recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.redis import directives, one


def _judge(facts: Facts) -> Judgement:
    found = directives(facts)
    file, to_syslog = one(found, "logfile", ""), one(found, "syslog-enabled", "no")
    if to_syslog != "yes" and file in ("", "stdout", "/dev/null"):
        return judgement([f"logfile {file or '-'}"])
    level = one(found, "loglevel", "notice")
    return judgement(weak=[f"loglevel {level}"] if level in ("warning", "nothing") else [], good=[file or "syslog"])


PROBE = Probe(
    id="redis.audit.log",
    way="db.audit",
    source="redis",
    items=("8.1.4.3.a",),
    objects=("database",),
    reads=("redis",),
    title=Text("Log", "日志"),
    criterion=Text(
        "a log is kept (Redis records no commands: whether something in front of it does is for a person to say)",
        "已启用日志（Redis 不记录命令，是否由前置审计记录由人判定）",
    ),
    to_be_confirmed=True,
    reproduce="grep -e ^logfile -e ^syslog-enabled -e ^loglevel redis.conf",
    judge=_judge,
)
