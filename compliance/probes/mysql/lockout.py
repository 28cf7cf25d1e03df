"""Guessing is slowed down or ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.mysql import accounts, names, variables

_MOST = 10


def _judge(facts: Facts) -> Judgement:
    found, active = variables(facts), names(facts, "plugins")
    threshold = number(found.get("connection_control_failed_connections_threshold")) or 0
    if any("connection_control" in name for name in active) and threshold:
        shown = f"connection_control_failed_connections_threshold = {threshold}"
        return judgement(weak=[shown] if threshold > _MOST else [], good=[shown])
    errors = number(found.get("max_password_errors"))
    if errors is not None and 0 < errors < 1_000:
        shown = f"max_password_errors = {errors}"
        return judgement(weak=[shown] if errors > _MOST else [], good=[shown])
    with_password = [one for one in accounts(facts) if one.has_password]
    endless = [one.shown() for one in with_password if not number(one.attempts)]
    if with_password and not endless:
        return judgement(good=[f"{one.shown()}: {one.attempts}" for one in with_password])
    return judgement(
        [Text("failed logins have no effect", "登录失败没有处理措施")] if len(endless) == len(with_password) else [], endless
    )


PROBE = Probe(
    id="mysql.lockout.failed_logins",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("variables", "plugins", "accounts", "ages"),
    title=Text("Failed logins", "登录失败处理"),
    criterion=Text(
        "failed logins delay or lock: connection_control, max_password_errors, or FAILED_LOGIN_ATTEMPTS of each account",
        "登录失败有延迟或锁定：connection_control、max_password_errors 或各账户 FAILED_LOGIN_ATTEMPTS",
    ),
    to_be_confirmed=True,
    reproduce="SHOW VARIABLES LIKE 'connection_control%'; SHOW VARIABLES LIKE 'max_password_errors'",
    judge=_judge,
)
