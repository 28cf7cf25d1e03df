"""Nobody gets in without a name."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts, names


def _judge(facts: Facts) -> Judgement:
    nameless = [one.shown() for one in accounts(facts) if not one.user]
    return judgement(
        nameless, [Text("the database test is there", "存在 test 数据库")] if "test" in names(facts, "databases") else []
    )


PROBE = Probe(
    id="mysql.accounts.anonymous",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.a", "8.1.4.2.c"),
    objects=("database",),
    reads=("accounts", "ages", "databases"),
    title=Text("Anonymous accounts", "匿名账户"),
    criterion=Text("there is no account without a name, and no database test", "没有匿名账户和 test 数据库"),
    reproduce="SELECT host FROM mysql.user WHERE user = ''; SHOW DATABASES",
    judge=_judge,
)
