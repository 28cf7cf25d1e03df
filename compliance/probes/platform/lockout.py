"""Guessing ends, and nobody stays logged in."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import People

FAILURES, LOCK, IDLE = 5, 300, 1800


def _judge(facts: Facts) -> Judgement:
    numbers = facts.rows("people", People).numbers
    weak = (
        [Text(f"locked after {numbers.failures} failures", f"失败 {numbers.failures} 次才锁定")]
        if numbers.failures > FAILURES
        else []
    )
    weak += [Text(f"locked for {numbers.lock} s", f"锁定 {numbers.lock} 秒")] if numbers.lock < LOCK else []
    idle = max(numbers.idle, numbers.admin_idle)
    weak += [Text(f"idle for {idle} s", f"空闲 {idle} 秒才退出")] if idle > IDLE else []
    good = Text(
        f"{numbers.failures} failures, {numbers.lock} s, idle {idle} s",
        f"失败 {numbers.failures} 次锁定 {numbers.lock} 秒，空闲 {idle} 秒退出",
    )
    return judgement(weak=weak, good=[good])


PROBE = Probe(
    id="app.auth.lockout",
    way="app.auth",
    source="platform",
    items=("8.1.4.1.b",),
    objects=("application", "system_software"),
    reads=("people",),
    title=Text("Failed logins", "登录失败处理"),
    criterion=Text(
        "5 failures or fewer lock for 5 minutes or longer, and half an hour without an act ends a session",
        "失败不超过 5 次即锁定 5 分钟以上，空闲半小时内退出",
    ),
    to_be_confirmed=True,
    reproduce="[accounts] of the configuration",
    judge=_judge,
)
