"""Nobody decides alone what the platform does by itself."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Playbooks


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("playbooks", Playbooks)
    if not found.released:
        return judgement(weak=[Text("no playbook was put in force by a person", "没有由人员发布的剧本")])
    good = Text(f"{found.released} releases, {found.approvals} approvals", f"发布 {found.released} 次，审批 {found.approvals} 次")
    return judgement(found.alone, good=[good])


PROBE = Probe(
    id="ir.playbooks.two_people",
    way="ir.playbooks",
    source="platform",
    items=("8.1.10.12.b", "8.1.10.13.b"),
    objects=("document",),
    reads=("playbooks",),
    title=Text("Playbooks and approvals", "剧本与审批"),
    criterion=Text(
        "playbooks are in force, none by its author, and no run was approved by who started it",
        "有发布的剧本，发布人不是作者，审批人不是发起人",
    ),
    to_be_confirmed=True,
    reproduce="console, Audit: playbook.release, playbook.approve",
    judge=_judge,
)
