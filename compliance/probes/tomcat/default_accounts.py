"""Accounts that everybody knows are not there."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import Node

_EXAMPLES = ("tomcat", "both", "role1", "admin", "manager")
_POWERFUL = ("manager-gui", "manager-script", "manager-jmx", "admin-gui", "admin-script", "manager", "admin")


def _judge(facts: Facts) -> Judgement:
    # no rows is an answer: the file was read to its end, and its root is tomcat-users (reading/tomcat_files.py)
    users = [one for one in facts.rows("users", list[Node]) if one.name == "user"]
    bad = [one.shown() for one in users if one.get("password") == "***default***"]
    weak = [one.shown() for one in users if _name(one) in _EXAMPLES and one.shown() not in bad]
    roles = [one.shown() for one in users if set(one.get("roles").replace(" ", "").split(",")) & set(_POWERFUL)]
    weak += [one for one in roles if one not in bad + weak]
    return judgement(bad, weak, [one.shown() for one in users] or [Text("there are no accounts", "没有账户")])


def _name(user: Node) -> str:
    return user.get("username") or user.get("name")


PROBE = Probe(
    id="tomcat.accounts.default_accounts",
    way="app.accounts",
    source="tomcat",
    items=("8.1.4.1.a", "8.1.4.2.b"),
    units=("6.4.1",),
    objects=("middleware",),
    reads=("users",),
    title=Text("Accounts of tomcat-users.xml", "默认账户与管理账户"),
    criterion=Text(
        "no account has a password that everybody knows; examples and accounts of the manager are partly",
        "没有众所周知的口令；示例账户与 manager 账户为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="cat conf/tomcat-users.xml",
    judge=_judge,
)
