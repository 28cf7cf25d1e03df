"""Sessions that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.mysql import variables

_LONGEST = 1_800


def _judge(facts: Facts) -> Judgement:
    found = variables(facts)
    seconds = {name: number(found.get(name)) for name in ("interactive_timeout", "wait_timeout")}
    if None in seconds.values():
        raise Unreadable("the server does not say its timeouts", "服务器未给出超时参数")
    weak = [f"{name} = {value}" for name, value in seconds.items() if value is not None and value > _LONGEST]
    return judgement(weak if len(weak) == len(seconds) else [], weak, [f"{name} = {value}" for name, value in seconds.items()])


PROBE = Probe(
    id="mysql.session.idle_timeout",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("variables",),
    title=Text("Idle sessions end", "空闲超时"),
    criterion=Text("sessions end after 30 idle minutes or earlier", "会话空闲 30 分钟内断开"),
    to_be_confirmed=True,
    reproduce="SHOW VARIABLES LIKE '%e_timeout'",
    judge=_judge,
)
