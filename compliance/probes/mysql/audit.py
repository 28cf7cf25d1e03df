"""What is done is recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import is_on, names, variables


def _judge(facts: Facts) -> Judgement:
    found, active = variables(facts), names(facts, "plugins")
    if "server_audit" in active and is_on(found.get("server_audit_logging")):
        events = found.get("server_audit_events", "").upper()
        whole = not events or ("CONNECT" in events and "QUERY" in events)
        shown = f"server_audit_events = {events or '*'}"
        return judgement(weak=[] if whole else [shown], good=[shown])
    if any(name.startswith(("audit_log", "component_audit", "file://component_audit")) for name in active):
        return judgement(good=["audit_log"])
    if is_on(found.get("general_log")):
        return judgement(weak=["general_log = ON"])
    return judgement([Text("no audit plugin records", "未启用审计插件")])


PROBE = Probe(
    id="mysql.audit.statements",
    way="db.audit",
    source="mysql",
    items=("8.1.4.3.a",),
    objects=("database",),
    reads=("plugins", "variables"),
    title=Text("Auditing", "审计开关"),
    criterion=Text(
        "an audit plugin records logins and statements; the general log alone is partly",
        "审计插件记录登录与语句；仅有通用日志为部分符合",
    ),
    reproduce="SHOW PLUGINS; SHOW VARIABLES LIKE '%audit%'",
    judge=_judge,
)
