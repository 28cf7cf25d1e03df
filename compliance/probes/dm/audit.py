"""What is done is recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import rules, variables


def _judge(facts: Facts) -> Judgement:
    (on,) = variables(facts, "enable_audit")
    number = rules(facts)
    if on not in ("1", "2"):
        return judgement([f"ENABLE_AUDIT = {on}"])
    return judgement(
        [Text("there is no audit rule", "没有审计规则")] if not number else [],
        good=[Text(f"ENABLE_AUDIT = {on}, {number} rules", f"ENABLE_AUDIT = {on}，{number} 条规则")],
    )


PROBE = Probe(
    id="dm.audit.statements",
    way="db.audit",
    source="dm",
    items=("8.1.4.3.a",),
    objects=("database",),
    reads=("variables", "audits"),
    title=Text("Auditing", "审计开关"),
    criterion=Text(
        "auditing is on and has rules (whether they cover what matters is for a person to say)",
        "审计已开启且有审计规则（是否覆盖重要行为由人判定）",
    ),
    reproduce="SELECT PARA_VALUE FROM V$DM_INI WHERE PARA_NAME = 'ENABLE_AUDIT'; SELECT * FROM SYSAUDITOR.SYSAUDIT",
    judge=_judge,
)
