"""Sessions that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.tomcat import tree

_LONGEST = 30


def _judge(facts: Facts) -> Judgement:
    said = [one for root in tree(facts, "web") for one in root.all("session-config") if one.said("session-timeout")]
    if not said:
        return judgement(good=[Text("30 minutes, where nothing is said", "未配置，默认 30 分钟")])
    minutes = number(said[-1].said("session-timeout"))
    if minutes is None:
        raise Unreadable("session-timeout is no number", "session-timeout 不是数字")
    shown = f"session-timeout = {minutes}"
    return judgement([shown] if minutes <= 0 else [], [shown] if minutes > _LONGEST else [], [shown])


PROBE = Probe(
    id="tomcat.session.timeout",
    way="app.auth",
    source="tomcat",
    items=("8.1.4.1.b",),
    objects=("middleware",),
    reads=("web",),
    title=Text("Idle sessions end", "会话超时"),
    criterion=Text("sessions end after 30 idle minutes or earlier", "会话空闲 30 分钟内失效"),
    to_be_confirmed=True,
    reproduce="grep session-timeout conf/web.xml",
    judge=_judge,
)
