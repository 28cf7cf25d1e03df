"""Records bear the right time."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Clock

MOST_SECONDS = 1.0


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("clock", Clock)
    if not found.synchronised:
        return judgement([Text("nothing keeps the clock right", "系统时钟未同步")])
    told = Text(f"off by {found.error_seconds:.3f} s at most", f"误差不超过 {found.error_seconds:.3f} 秒")
    return judgement(weak=[told] if found.error_seconds > MOST_SECONDS else [], good=[told])


PROBE = Probe(
    id="host.time_sync.platform",
    way="host.time_sync",
    source="platform",
    items=("8.1.4.3.b",),
    objects=("management_platform",),
    reads=("clock",),
    title=Text("Time", "时间同步"),
    criterion=Text(
        "the kernel says that the clock is kept right, within a second",
        "内核报告时钟已同步，误差不超过一秒",
    ),
    to_be_confirmed=True,
    reproduce="chronyc tracking; timedatectl",
    judge=_judge,
)
