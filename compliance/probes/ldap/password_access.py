"""Nobody reads the passwords of others."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.directory import config, databases, who_reads_passwords


def _judge(facts: Facts) -> Judgement:
    entries = config(facts)
    found = databases(entries)
    if not found:
        raise Unreadable("the configuration shows no database", "配置中没有数据库")
    server = next((one.values.get("olcAccess", ()) for one in entries if one.dn.lower().startswith("olcdatabase={-1}")), ())
    bad = [f"{one.first('olcSuffix')}: {rule}" for one in found for rule in who_reads_passwords(one, server)]
    return judgement(bad, good=[one.first("olcSuffix") for one in found])


PROBE = Probe(
    id="app.rbac.directory_passwords",
    way="app.rbac",
    source="ldap",
    items=("8.1.4.2.d", "8.1.4.8.b"),
    units=("6.4.5",),
    objects=("system_software", "middleware", "application"),
    reads=("config",),
    title=Text("Who reads passwords in the directory", "目录口令读取权限"),
    criterion=Text(
        "no rule lets everybody, or everybody who has logged in, read userPassword",
        "没有规则允许任何人或任何登录者读取 userPassword",
    ),
    reproduce="ldapsearch -x -ZZ -D DN -W -b cn=config '(olcAccess=*)' olcAccess",
    judge=_judge,
)
