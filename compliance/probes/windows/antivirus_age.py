"""Signatures against malware are young."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.malware_protection import defender, products
from compliance.probes.formats.windows import DAY, System, one

_WEEK, _MONTH = 7, 30


def _judge(facts: Facts) -> Judgement:
    others = [product for product in products(facts) if product.is_on and "defender" not in product.name.lower()]
    if others:
        old = [product.name for product in others if not product.is_current]
        return judgement(old, good=[product.name for product in others])
    own = defender(facts)
    if own is None or not own.enabled or own.signatures is None:
        raise Unreadable(
            "no signatures are known on this host: ask the product at its console", "本机没有已知的特征库，请查产品控制台"
        )
    days = max(0, one(facts, "system", System).now - own.signatures) // DAY
    shown = Text(f"{days} days old", f"距今 {days} 天")
    return judgement([shown] if days > _MONTH else [], [shown] if _WEEK < days <= _MONTH else [], [shown])


PROBE = Probe(
    id="windows.antivirus.signatures",
    way="host.av_age",
    source="windows",
    items=("8.1.4.5", "8.1.5.4.e"),
    reads=("system", "defender", "products"),
    title=Text("Age of signatures", "特征库更新时间"),
    criterion=Text("signatures are a week old at most; over a month is not met", "特征库更新不超过一周；超过一个月为不符合"),
    to_be_confirmed=True,
    reproduce="Get-MpComputerStatus | Select AntivirusSignatureLastUpdated",
    judge=_judge,
)
