"""What was recorded cannot be changed without a trace."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Trail, days_between

LATEST_DAYS = 1.0


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("trail", Trail)
    if found.problem:
        return judgement([found.problem])
    if not found.size or not found.signed_at:
        return judgement([Text("no head of the trail was signed", "审计记录没有签名")])
    late = days_between(found.signed_at, found.at) > LATEST_DAYS
    weak = [Text(f"last head signed at {found.signed_at}", f"最近签名于 {found.signed_at}")] if late else []
    return judgement(
        weak=weak, good=[Text(f"{found.size} entries, {found.heads} heads", f"记录 {found.size} 条，签名 {found.heads} 个")]
    )


PROBE = Probe(
    id="log.integrity.audit_trail",
    way="log.integrity",
    source="platform",
    items=("8.1.4.3.a", "8.1.4.3.c", "8.1.4.7.b"),
    objects=("application", "management_platform", "system_software"),
    reads=("trail",),
    title=Text("Audit trail", "审计记录完整性"),
    criterion=Text(
        "entries, Merkle tree (SM3) and signed heads (SM2) fit each other, the last head is a day old at most",
        "审计记录、SM3 默克尔树与 SM2 签名一致，最近签名不超过一天",
    ),
    reproduce="./liandun audit verify",
    judge=_judge,
)
