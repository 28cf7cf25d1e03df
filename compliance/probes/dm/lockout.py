"""Guessing ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import accounts, whole

_MOST, _LEAST_MINUTES = 5, 5


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    bad = [f"{one.user}: FAILED_NUM = {one.attempts}" for one in found if not 0 < whole(one.attempts) <= 2 * _MOST]
    weak = [
        f"{one.user}: FAILED_NUM = {one.attempts}, LOCK_TIME = {one.lock}"
        for one in found
        if whole(one.attempts) > _MOST or whole(one.lock) < _LEAST_MINUTES
    ]
    return judgement(bad, weak, [f"{one.user}: {one.attempts}, {one.lock}" for one in found])


PROBE = Probe(
    id="dm.lockout.failed_logins",
    way="db.accounts",
    source="dm",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("accounts",),
    title=Text("Failed logins", "登录失败锁定"),
    criterion=Text(
        "an account is locked after 5 failed logins or fewer, for 5 minutes or longer",
        "连续失败不超过 5 次即锁定，锁定不少于 5 分钟",
    ),
    to_be_confirmed=True,
    reproduce="SELECT B.USERNAME, A.FAILED_NUM, A.LOCK_TIME FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID",
    judge=_judge,
)
