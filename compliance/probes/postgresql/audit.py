"""Logins and changes are recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import libraries, settings


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    if found.get("sysaudit.enable") == "on":  # Kingbase
        return judgement(good=["sysaudit.enable = on"])
    with_module = "pgaudit" in libraries(found) and found.get("pgaudit.log", "none") not in ("", "none")
    statements = found.get("log_statement", "none")
    logins = {name: found.get(name, "off") for name in ("log_connections", "log_disconnections")}
    off = [f"{name} = {value}" for name, value in logins.items() if value in ("off", "")]
    bad = [f"log_statement = {statements}"] if statements == "none" and not with_module else []
    weak = [] if with_module or bad or statements in ("mod", "all") else [f"log_statement = {statements}"]
    good = ["pgaudit" if with_module else f"log_statement = {statements}"]
    return judgement([*bad, *off], weak, good) if bad else judgement(weak=[*off, *weak], good=good)


PROBE = Probe(
    id="db.audit.statements",
    way="db.audit",
    source="postgresql",
    items=("8.1.4.3.a",),
    objects=("database",),
    reads=("settings",),
    title=Text("Auditing", "审计开关"),
    criterion=Text(
        "logins, their ends and changing statements are recorded, by pgaudit or log_statement",
        "登录、退出与变更语句均有记录（pgaudit 或 log_statement）",
    ),
    reproduce="SHOW log_statement; SHOW log_connections; SHOW shared_preload_libraries",
    judge=_judge,
)
