"""Several ways of looking run at once."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Rules

_WANTED = {
    "sigma": Text("rules on logs (sigma)", "日志规则（sigma）"),
    "zone": Text("zone rules", "区域规则"),
    "intel": Text("indicators", "威胁情报"),
}


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("rules", Rules)
    missing = [text for engine, text in _WANTED.items() if not found.engines.get(engine)]
    failed = [Text(f"{found.failed} rules could not be loaded", f"{found.failed} 条规则未能加载")] if found.failed else []
    return judgement(missing, failed, [f"{engine} {number}" for engine, number in sorted(found.engines.items())])


PROBE = Probe(
    id="soc.analytics.engines",
    way="soc.analytics",
    source="platform",
    items=("8.1.3.3.c", "8.1.5.4.f"),
    objects=("management_platform", "security_device"),
    reads=("rules",),
    title=Text("Analytics run", "分析引擎运行"),
    criterion=Text(
        "rules on logs, on zones and of indicators are loaded, all of them",
        "日志、区域与情报规则均已加载，且无加载失败",
    ),
    to_be_confirmed=True,
    reproduce="console, Rules",
    judge=_judge,
)
