"""Passwords are not kept as they are typed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import Node, server


def _judge(facts: Facts) -> Judgement:
    users = [one for one in facts.rows("users", list[Node]) if one.name == "user"]
    if not users:
        return not_applicable(Text("tomcat-users.xml has no accounts", "tomcat-users.xml 中没有账户"))
    clear = [one.shown() for one in users if one.get("password") in ("***clear***", "***default***")]
    handlers = list(server(facts).all("CredentialHandler"))
    old = [one.shown() for one in handlers if one.get("algorithm").upper() in ("MD5", "MD2", "SHA", "SHA-1")]
    return judgement(clear, old, [one.shown() for one in handlers])


PROBE = Probe(
    id="tomcat.accounts.stored_passwords",
    way="app.auth",
    source="tomcat",
    items=("8.1.4.8.b",),
    units=("6.4.1",),
    objects=("middleware",),
    reads=("users", "server"),
    title=Text("Stored passwords", "口令存储"),
    criterion=Text(
        "tomcat-users.xml holds hashes (CredentialHandler), not passwords",
        "tomcat-users.xml 存放散列（CredentialHandler）而非明文口令",
    ),
    to_be_confirmed=True,
    reproduce="cat conf/tomcat-users.xml; grep CredentialHandler conf/server.xml",
    judge=_judge,
)
