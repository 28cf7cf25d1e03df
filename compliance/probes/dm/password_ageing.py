"""Passwords run out."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import accounts, whole

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    weak = [f"{one.user}: LIFE_TIME = {one.lifetime}" for one in found if not 0 < whole(one.lifetime) <= _LONGEST]
    return judgement(weak if len(weak) == len(found) else [], weak, [f"{one.user}: {one.lifetime}" for one in found])


PROBE = Probe(
    id="dm.passwords.ageing",
    way="db.accounts",
    source="dm",
    items=("8.1.4.1.a",),
    objects=("database",),
    reads=("accounts",),
    title=Text("Passwords run out", "口令有效期"),
    criterion=Text("each password lasts 90 days at most", "每个口令最长 90 天"),
    to_be_confirmed=True,
    reproduce="SELECT B.USERNAME, A.LIFE_TIME FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID",
    judge=_judge,
)
