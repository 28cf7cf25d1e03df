"""Guessing ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.tomcat import server


def _judge(facts: Facts) -> Judgement:
    realms = list(server(facts).all("Realm"))
    if not realms:
        return not_applicable(Text("there is no Realm: applications ask for logins themselves", "没有 Realm，由应用自行鉴别"))
    locking = [one for one in realms if one.get("className").endswith(".LockOutRealm")]
    guarded = {id(inner) for one in locking for inner in one.all("Realm")}
    bare = [
        one.shown()
        for one in realms
        if id(one) not in guarded and not one.get("className").endswith((".CombinedRealm", ".NullRealm"))
    ]
    weak = []
    for one in locking:
        failures, seconds = number(one.get("failureCount", "5")), number(one.get("lockOutTime", "300"))
        if failures is None or seconds is None or failures > 5 or seconds < 300:
            weak.append(one.shown())
    return judgement(bare, weak, [one.shown() for one in locking])


PROBE = Probe(
    id="tomcat.accounts.lockout",
    way="app.auth",
    source="tomcat",
    items=("8.1.4.1.b",),
    objects=("middleware",),
    reads=("server",),
    title=Text("Failed logins", "登录失败锁定"),
    criterion=Text(
        "LockOutRealm locks after 5 failed logins or fewer, for 5 minutes or longer",
        "LockOutRealm 在不超过 5 次失败后锁定，不少于 5 分钟",
    ),
    to_be_confirmed=True,
    reproduce="grep -A5 LockOutRealm conf/server.xml",
    judge=_judge,
)
