"""Services that are dangerous on a network are not reachable."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.sockets import Listening, listening

_BAD = {
    69: "tftp",
    135: "rpc",
    137: "netbios",
    138: "netbios",
    139: "netbios",
    445: "smb",
    512: "rexec",
    513: "rlogin",
    2375: "docker",
}
_ASK = {
    111: "rpcbind", 161: "snmp", 631: "ipp", 873: "rsync", 2049: "nfs", 3306: "mysql", 5353: "mdns", 5432: "postgresql",
    6379: "redis", 9200: "elasticsearch", 11211: "memcached", 27017: "mongodb",
}  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    found = [one for one in listening(facts.files("sockets")) if one.is_reachable]
    bad = [f"{one.shown()} ({_BAD[one.port]})" for one in found if one.port in _BAD]
    weak = [f"{one.shown()} ({_ask(one)})" for one in found if one.port not in _BAD and _ask(one)]
    return judgement(bad, weak, lines=[one.shown() for one in found])


def _ask(one: Listening) -> str:
    if one.protocol == "tcp" and (5900 <= one.port <= 5909 or 6000 <= one.port <= 6009):
        return "vnc" if one.port < 6000 else "x11"
    return _ASK.get(one.port, "")


PROBE = Probe(
    id="host.services.open_ports",
    way="host.services",
    source="linux",
    items=("8.1.4.4.b",),
    reads=("sockets",),
    title=Text("Dangerous ports", "高危端口"),
    criterion=Text(
        "no high-risk port is reachable; databases, file and desktop services only where they are needed",
        "高危端口不可达；数据库、文件与远程桌面服务仅在确有需要时开放",
    ),
    to_be_confirmed=True,
    reproduce="ss -ltnu",
    judge=_judge,
)
