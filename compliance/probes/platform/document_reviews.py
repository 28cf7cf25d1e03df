"""Rules are reviewed when it is time."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Upkeep


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("upkeep", Upkeep)
    if not found.in_force:
        return judgement([Text("no document is in force", "没有生效的管理文件")])
    return judgement(
        weak=[Text(f"review overdue: {one}", f"评审逾期：{one}") for one in found.reviews],
        good=[Text(f"{found.in_force} in force", f"生效 {found.in_force} 份")],
    )


PROBE = Probe(
    id="doc.review_due.documents",
    way="doc.review_due",
    source="platform",
    items=("8.1.6.4", "8.1.7.3.c"),
    objects=("document", "personnel"),
    reads=("upkeep",),
    title=Text("Reviews of documents", "制度评审"),
    criterion=Text(
        "documents are in force, and the review of none is overdue",
        "有生效的管理文件且评审均未逾期",
    ),
    reproduce="./liandun compliance documents list",
    judge=_judge,
)
