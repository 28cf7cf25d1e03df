"""No certificate ends unnoticed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Links


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("links", Links)
    bad = [Text(f"{one.kind} {one.place} has ended", f"{one.kind} {one.place} 已到期") for one in found.ending if not one.days_left]
    weak = [
        Text(f"{one.kind} {one.place} ends at {one.not_after}", f"{one.kind} {one.place} 将于 {one.not_after} 到期")
        for one in found.ending
        if one.days_left
    ]
    return judgement(bad, [*weak, *found.unreadable])


PROBE = Probe(
    id="app.crypto.certificates",
    way="app.crypto",
    source="platform",
    items=("8.1.4.7.a",),
    objects=("application", "system_software"),
    reads=("links",),
    title=Text("Certificates", "证书有效期"),
    criterion=Text(
        "no certificate or revocation list of the platform ends within 30 days",
        "平台的证书与吊销列表 30 天内不到期",
    ),
    to_be_confirmed=True,
    reproduce="console, Platform: certificates",
    judge=_judge,
)
