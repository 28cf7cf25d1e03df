"""nginx does not work as root."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    said = [one for one in found.top if one.name == "user"]
    bad = [one.shown() for one in said if one.arguments[:1] == ["root"]]
    return judgement(bad, good=[one.shown() for one in said] or ["nobody"], lines=[one.shown() for one in said])


PROBE = Probe(
    id="nginx.accounts.worker",
    way="app.accounts",
    source="nginx",
    items=("8.1.4.2.d",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Account of nginx", "运行账户"),
    criterion=Text("workers of nginx do not run as root", "nginx 工作进程不以 root 运行"),
    reproduce="nginx -T | grep '^user'; ps -o user,args -C nginx",
    judge=_judge,
)
