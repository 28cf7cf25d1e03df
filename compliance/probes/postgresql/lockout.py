"""Guessing is slowed down or ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.postgresql import libraries, settings


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    loaded = libraries(found)
    attempts = number(found.get("credcheck.max_auth_failure")) or 0
    if "credcheck" in loaded and attempts:
        return judgement(good=[f"credcheck.max_auth_failure = {attempts}"])
    times = number(found.get("sys_audlog.error_user_connect_times")) or 0  # Kingbase
    if "sys_audlog" in loaded and times:
        shown = f"sys_audlog.error_user_connect_times = {times}"
        return judgement(weak=[shown] if times > 10 else [], good=[shown])
    delay = number(found.get("auth_delay.milliseconds")) or 0
    if "auth_delay" in loaded and delay:
        return judgement(weak=[f"auth_delay.milliseconds = {delay}"])
    return judgement([Text("failed logins have no effect", "登录失败没有处理措施")])


PROBE = Probe(
    id="db.accounts.lockout",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("settings",),
    title=Text("Failed logins", "登录失败处理"),
    criterion=Text(
        "credcheck, or sys_audlog of Kingbase, bans after failed logins; a delay (auth_delay) is partly",
        "credcheck 或金仓 sys_audlog 失败锁定；仅延迟（auth_delay）为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="SHOW shared_preload_libraries; SHOW credcheck.max_auth_failure",
    judge=_judge,
)
