"""Sessions that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import accounts, whole

_LONGEST = 30


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    weak = [f"{one.user}: CONN_IDLE_TIME = {one.idle}" for one in found if not 0 < whole(one.idle) <= _LONGEST]
    return judgement(weak if len(weak) == len(found) else [], weak, [f"{one.user}: {one.idle}" for one in found])


PROBE = Probe(
    id="dm.session.idle_timeout",
    way="db.accounts",
    source="dm",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("accounts",),
    title=Text("Idle sessions end", "空闲超时"),
    criterion=Text("sessions of each account end after 30 idle minutes or earlier", "每个账户的会话空闲 30 分钟内断开"),
    to_be_confirmed=True,
    reproduce="SELECT B.USERNAME, A.CONN_IDLE_TIME FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID",
    judge=_judge,
)
