"""The account that each server has does not come from afar."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts


def _judge(facts: Facts) -> Judgement:
    found = [one for one in accounts(facts) if one.user == "root"]
    return judgement(
        [one.shown() for one in found if one.is_remote],
        good=[one.shown() for one in found] or [Text("there is no root", "没有 root 账户")],
    )


PROBE = Probe(
    id="mysql.accounts.default_account",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.2.b",),
    objects=("database",),
    reads=("accounts", "ages"),
    title=Text("root", "默认账户 root"),
    criterion=Text("root logs in from the host itself only, or does not exist", "root 仅限本机登录或已更名"),
    reproduce="SELECT host, user FROM mysql.user WHERE user = 'root'",
    judge=_judge,
)
