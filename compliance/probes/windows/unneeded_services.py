"""Services that are seldom needed are off."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import Service, rows

_BAD = ("tlntsvr", "ftpsvc", "msftpsvc", "tftpd", "simptcp", "rasauto")
_ASK = (
    "remoteregistry",
    "snmp",
    "ssdpsrv",
    "upnphost",
    "spooler",
    "sharedaccess",
    "remoteaccess",
    "fax",
    "wmpnetworksvc",
    "icssvc",
    "xblauthmanager",
)


def _judge(facts: Facts) -> Judgement:
    running = {one.name.lower(): one.name for one in rows(facts, "services", Service) if one.state == "Running"}
    return judgement([running[name] for name in _BAD if name in running], [running[name] for name in _ASK if name in running])


PROBE = Probe(
    id="windows.services.unneeded",
    way="host.services",
    source="windows",
    items=("8.1.4.4.a", "8.1.4.4.b"),
    reads=("services",),
    title=Text("Unneeded services", "非必要服务"),
    criterion=Text(
        "Telnet, FTP and the like do not run; remote registry, SNMP, printing and others only where they are needed",
        "未运行 Telnet、FTP 等服务；远程注册表、SNMP、打印等仅在确有需要时运行",
    ),
    to_be_confirmed=True,
    reproduce="Get-Service | ? Status -eq Running",
    judge=_judge,
)
