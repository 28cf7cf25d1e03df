"""Nobody types a password over Telnet, FTP or rlogin."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.sockets import listening

_PORTS = {21: "ftp", 23: "telnet", 512: "rexec", 513: "rlogin", 514: "rsh"}


def _judge(facts: Facts) -> Judgement:
    found = [one for one in listening(facts.files("sockets")) if one.protocol == "tcp" and one.is_reachable]
    bad = [f"{one.shown()} ({_PORTS[one.port]})" for one in found if one.port in _PORTS and one.port != 514]
    weak = [f"{one.shown()} (rsh / syslog)" for one in found if one.port == 514]
    lines = [one.shown() for one in found]
    return judgement(bad, weak, lines=lines)


PROBE = Probe(
    id="host.services.cleartext_logins",
    way="host.services",
    source="linux",
    items=("8.1.4.1.c", "8.1.4.4.b"),
    units=("6.3.2",),
    reads=("sockets",),
    title=Text("Logins in clear text", "明文登录服务"),
    criterion=Text("no Telnet, FTP or r-service listens", "不开放 Telnet、FTP 与 r 系列服务"),
    reproduce="ss -ltn | grep -E ':(21|23|512|513|514) '",
    judge=_judge,
)
