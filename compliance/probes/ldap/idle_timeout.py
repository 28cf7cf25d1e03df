"""Connections that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import config, whole
from compliance.probes.formats.keyed import number

_LONGEST = 1_800


def _judge(facts: Facts) -> Judgement:
    seconds = number(next(iter(whole(config(facts), "olcIdleTimeout")), "0")) or 0
    shown = f"olcIdleTimeout {seconds}"
    return judgement([] if seconds else [shown], [shown] if seconds > _LONGEST else [], [shown])


PROBE = Probe(
    id="app.auth.directory_idle_timeout",
    way="app.auth",
    source="ldap",
    items=("8.1.4.1.b",),
    objects=("system_software", "middleware", "application"),
    reads=("config",),
    title=Text("Idle connections of the directory", "目录空闲超时"),
    criterion=Text("connections end after 30 idle minutes or earlier", "连接空闲 30 分钟内断开"),
    to_be_confirmed=True,
    reproduce="ldapsearch -x -ZZ -D DN -W -b cn=config -s base olcIdleTimeout",
    judge=_judge,
)
