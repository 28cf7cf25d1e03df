"""nginx does not say which version it is."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    said = found.named("server_tokens")
    lines = [one.shown() for one in said]
    if not said:
        return judgement(weak=[Text("server_tokens is not set", "未设置 server_tokens")], lines=lines)
    on = [one.shown() for one in said if one.arguments[:1] not in (["off"], [""])]
    hidden_above = any(one.parent is not None and one.parent.name == "http" for one in said)
    return judgement(weak=on if hidden_above or on else ["server_tokens"], good=lines, lines=lines)


PROBE = Probe(
    id="nginx.services.version",
    way="host.services",
    source="nginx",
    items=("8.1.4.4.b",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Version is hidden", "隐藏版本"),
    criterion=Text("server_tokens is off for all servers", "所有站点 server_tokens 为 off"),
    to_be_confirmed=True,
    reproduce="curl -sI http://HOST/ | grep -i ^server",
    judge=_judge,
)
