"""Services that are dangerous on a network are not reachable."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import Listener, Profile, rows

_BAD = {20: "ftp", 21: "ftp", 23: "telnet", 69: "tftp", 512: "rexec", 513: "rlogin", 514: "rsh"}
_RISKY = {135: "rpc", 137: "netbios", 138: "netbios", 139: "netbios", 445: "smb"}
_ASK = {
    1433: "mssql",
    1521: "oracle",
    3306: "mysql",
    3389: "rdp",
    5432: "postgresql",
    5900: "vnc",
    6379: "redis",
    9200: "elasticsearch",
    27017: "mongodb",
}


def _judge(facts: Facts) -> Judgement:
    found = [one for one in rows(facts, "listeners", Listener) if one.is_remote]
    guarded = all(one.enabled and one.inbound != "Allow" for one in rows(facts, "firewall", Profile))
    bad = [_shown(one, _BAD) for one in found if one.port in _BAD]
    risky = [_shown(one, _RISKY) for one in found if one.port in _RISKY]
    weak = [_shown(one, _ASK) for one in found if one.port in _ASK and one.protocol == "tcp"]
    lines = [_shown(one, {}) for one in found]
    return judgement(
        list(dict.fromkeys(bad + ([] if guarded else risky))), list(dict.fromkeys((risky if guarded else []) + weak)), lines=lines
    )


def _shown(one: Listener, names: dict[int, str]) -> str:
    return f"{one.protocol} {one.address}:{one.port} ({names.get(one.port, one.program)})"


PROBE = Probe(
    id="windows.services.open_ports",
    way="host.services",
    source="windows",
    items=("8.1.4.4.b",),
    reads=("listeners", "firewall"),
    title=Text("Dangerous ports", "高危端口"),
    criterion=Text(
        "no high-risk port listens; behind a firewall that refuses what no rule allows they are partly",
        "不监听高危端口；防火墙默认拒绝时为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="netstat -ano; Get-NetTCPConnection -State Listen",
    judge=_judge,
)
