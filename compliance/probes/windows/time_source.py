"""The clock follows a source."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import TIME, value
from compliance.probes.formats.windows import Service, rows

_PUBLIC = ("time.windows.com", "time.nist.gov", "pool.ntp.org", "ntp.aliyun.com", "ntp.tencent.com")


def _judge(facts: Facts) -> Judgement:
    kind, servers = (value(facts, TIME, "Type") or "").upper(), value(facts, TIME, "NtpServer") or ""
    running = [one for one in rows(facts, "services", Service) if one.name.lower() == "w32time" and one.state == "Running"]
    if not running:
        return judgement([Text("W32Time does not run", "W32Time 未运行")])
    if kind in ("NT5DS", "ALLSYNC"):
        return judgement(good=[f"Type = {kind}"])
    if kind != "NTP" or not servers.strip():
        return judgement([f"Type = {kind or '-'}"])
    names = [one.partition(",")[0].lower() for one in servers.split()]
    public = [name for name in names if name.endswith(_PUBLIC)]
    weak = [Text(f"public source: {name}", f"公网时间源：{name}") for name in public]
    return judgement(weak=weak if len(public) == len(names) else [], good=names)


PROBE = Probe(
    id="windows.time_sync.source",
    way="host.time_sync",
    source="windows",
    items=("8.1.4.3.b",),
    reads=("registry", "services"),
    title=Text("Time source", "时间同步"),
    criterion=Text("W32Time runs and follows the domain or a source of the own network", "W32Time 在运行并使用域或内部时间源"),
    to_be_confirmed=True,
    reproduce="w32tm /query /configuration",
    judge=_judge,
)
