"""Connections that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.redis import directives, one

_LONGEST = 1_800


def _judge(facts: Facts) -> Judgement:
    seconds = number(one(directives(facts), "timeout", "0"))
    if seconds is None:
        raise Unreadable("timeout is no number", "timeout 不是数字")
    shown = f"timeout {seconds}"
    return judgement([shown] if not seconds else [], [shown] if seconds > _LONGEST else [], [shown])


PROBE = Probe(
    id="redis.session.idle_timeout",
    way="db.accounts",
    source="redis",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("redis",),
    title=Text("Idle connections end", "空闲超时"),
    criterion=Text("connections end after 30 idle minutes or earlier", "连接空闲 30 分钟内断开"),
    to_be_confirmed=True,
    reproduce="grep ^timeout redis.conf",
    judge=_judge,
)
