"""Few accounts may do everything."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts


def _judge(facts: Facts) -> Judgement:
    found = [
        one
        for one in accounts(facts)
        if "Y" in (one.super, one.grant, one.file) and one.user not in ("root", "mariadb.sys", "mysql")
    ]
    bad = [one.shown() for one in found if one.host == "%"]
    return judgement(bad, [one.shown() for one in found if one.host != "%"])


PROBE = Probe(
    id="mysql.grants.privileges",
    way="db.grants",
    source="mysql",
    items=("8.1.4.2.d",),
    objects=("database",),
    reads=("accounts", "ages"),
    title=Text("Rights over the server", "全局权限"),
    criterion=Text(
        "SUPER, GRANT and FILE are for root alone, and never for an account from everywhere",
        "SUPER、GRANT、FILE 权限仅限 root，且不授予任意来源的账户",
    ),
    to_be_confirmed=True,
    reproduce="SELECT host, user, Super_priv, Grant_priv, File_priv FROM mysql.user",
    judge=_judge,
)
