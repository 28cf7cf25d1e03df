"""Signatures against malware are young."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number

_WEEK, _MONTH = 7, 30


def _judge(facts: Facts) -> Judgement:
    now = number(facts.text("clock"))
    times = [found for line in facts.lines("signatures") if (found := number(line.split(" ", 1)[0])) is not None]
    if now is None or not times:
        raise Unreadable(
            "no signatures are known on this host (ClamAV only; ask other products at their console)",
            "本机没有已知的特征库（仅识别 ClamAV，其他产品请查其控制台）",
        )
    days = max(0, now - max(times)) // 86_400
    shown = Text(f"{days} days old", f"距今 {days} 天")
    return judgement([shown] if days > _MONTH else [], [shown] if _WEEK < days <= _MONTH else [], [shown])


PROBE = Probe(
    id="host.av_age.signatures",
    way="host.av_age",
    source="linux",
    items=("8.1.4.5", "8.1.5.4.e"),
    reads=("clock", "signatures"),
    title=Text("Age of signatures", "特征库更新时间"),
    criterion=Text("signatures are a week old at most; over a month is not met", "特征库更新不超过一周；超过一个月为不符合"),
    to_be_confirmed=True,
    reproduce="stat /var/lib/clamav/*",
    judge=_judge,
)
