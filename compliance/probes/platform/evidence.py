"""Sealed evidence is as it was sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Cases


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("cases", Cases)
    if not found.evidence:
        return not_applicable(Text("no evidence was sealed", "没有封存证据"))
    return judgement(found.bad_evidence, good=[Text(f"{found.evidence} packages", f"{found.evidence} 份")])


PROBE = Probe(
    id="ir.evidence.custody",
    way="ir.evidence",
    source="platform",
    items=("8.1.10.12.c",),
    objects=("document",),
    reads=("cases",),
    title=Text("Custody of evidence", "证据保全"),
    criterion=Text(
        "seal and custody record of the newest 25 packages are in order",
        "最近 25 份证据的封存与保管记录完好",
    ),
    to_be_confirmed=True,
    reproduce="./liandun evidence verify",
    judge=_judge,
)
