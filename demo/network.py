"""Firewall, switch and sensor records: Huawei USG and VRP, H3C Comware, Suricata's eve.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from kernel.event import SHANGHAI

LOCAL7_WARNING, LOCAL7_NOTICE, LOCAL7_INFO = 188, 189, 190

_MODBUS = {
    3: ("RdHoldRegs", "READ | HOLDING", "read"),
    4: ("RdInputRegs", "READ | INPUT", "read"),
    6: ("WrSingleReg", "WRITE | HOLDING | SINGLE | WRITE_SINGLE", "write"),
}
"""Function → how Suricata 7 names it (Modbus Application Protocol V1.1b3 §6)."""


def usg_policy(moment: datetime, host: str, permit: bool, flow: tuple[str, int, str, int], zones: tuple[str, str]) -> bytes:
    """Huawei USG: a packet that a security policy permitted or denied. Huawei's own stamps are UTC and name no zone."""
    utc = moment.astimezone(UTC)
    source, source_port, target, port = flow
    brief = "POLICYPERMIT" if permit else "POLICYDENY"
    return (
        f"<{LOCAL7_WARNING}>{utc:%Y-%m-%d %H:%M:%S} {host} %%01SEC/4/{brief}(l): protocol=6, source-ip={source}, "
        f"source-port={source_port}, destination-ip={target}, destination-port={port}, time={utc:%Y/%m/%d %H:%M:%S}, "
        f"interzone-{zones[0]}(public)-{zones[1]}(public) inbound, policy={8 if permit else 0}."
    ).encode()


def usg_session(moment: datetime, host: str, flow: tuple[str, int, str, int], protocol: str) -> bytes:
    """Huawei USG session log: a connection was set up."""
    utc = moment.astimezone(UTC)
    source, source_port, target, port = flow
    return (
        f"<{LOCAL7_INFO}>{utc:%Y-%m-%d %H:%M:%S} {host} %%01SECLOG/6/SESSION_BUILT(l):IPVer={6 if ':' in source else 4},"
        f"Protocol={protocol},SourceIP={source},DestinationIP={target},SourcePort={source_port},DestinationPort={port},"
        f"BeginTime={int(utc.timestamp())},SourceVpnID=0,DestinationVpnID=0."
    ).encode()


def vrp_login_failed(moment: datetime, host: str, source: str, user: str, times: int) -> bytes:
    """Huawei VRP: a failed login to the device itself."""
    utc = moment.astimezone(UTC)
    return (
        f"<{LOCAL7_WARNING}>{utc:%b} {utc.day:2d} {utc:%Y %H:%M:%S} {host} %%01SHELL/4/LOGINFAILED(s)[{times}]:Failed to login. "
        f"(Ip={source}, UserName={user}, Times={times}, AccessType=SSH, VpnName=)"
    ).encode()


def vrp_command(moment: datetime, host: str, source: str, user: str, command: str) -> bytes:
    """Huawei VRP: a command that an administrator gave."""
    utc = moment.astimezone(UTC)
    detail = f'Task=VTY, Ip={source}, VpnName=, User={user}, AuthenticationMethod="Password", Command="{command}"'
    return (
        f"<{LOCAL7_NOTICE}>{utc:%b} {utc.day:2d} {utc:%Y %H:%M:%S} {host} "
        f"%%01SHELL/5/CMDRECORD(s)[7]:Recorded command information. ({detail})"
    ).encode()


def comware_filter(moment: datetime, host: str, permit: bool, flow: tuple[str, int, str, int], zones: tuple[str, str]) -> bytes:
    """H3C Comware: packet filter of a security policy."""
    local = moment.astimezone(SHANGHAI)
    source, source_port, target, port = flow
    return (
        f"<{LOCAL7_INFO}>{local:%b} {local.day:2d} {local:%H:%M:%S %Y} {host} %%10FILTER/6/FILTER_ZONE_IPV4_EXECUTION: "
        f"-Chassis=1-Slot=3.1; SrcZoneName(1025)={zones[0]};DstZoneName(1035)={zones[1]};Type(1067)=ACL;"
        f"SecurityPolicy(1072)=city-base;RuleID(1078)=12;Protocol(1001)=TCP;Application(1002)=other;"
        f"SrcIPAddr(1003)={source};SrcPort(1004)={source_port};SrcMacAddr(1021)=8ce5-ef7a-4901;"
        f"DstIPAddr(1007)={target};DstPort(1008)={port};MatchCount(1069)=1;Event(1048)={'Permit' if permit else 'Deny'};"
    ).encode()


def eve_dns(moment: datetime, sensor: str, source: str, server: str, port: int, name: str, kind: str) -> bytes:
    """Suricata eve.json: a DNS question."""
    extra = {"dns": {"type": "query", "id": port % 65521, "rrname": name, "rrtype": kind, "tx_id": 0}}
    return _eve(moment, sensor, "dns", (source, port, server, 53), "UDP", extra)


def eve_modbus(moment: datetime, sensor: str, flow: tuple[str, int, str, int], function: int, address: int, value: int) -> bytes:
    """Suricata eve.json: a Modbus transaction; functions 3 and 4 read registers, 6 writes one."""
    code, access, part = _MODBUS[function]
    second = "data" if part == "write" else "quantity"
    request = {
        "transaction_id": address + 1,
        "protocol_id": 0,
        "unit_id": 1,
        "function_raw": function,
        "function_code": code,
        "access_type": access,
        "category": "PUBLIC_ASSIGNED",
        "error_flags": "NONE",
        part: {"address": address, second: value},
    }
    return _eve(moment, sensor, "modbus", flow, "TCP", {"modbus": {"id": 1, "request": request}})


def _eve(
    moment: datetime, sensor: str, kind: str, flow: tuple[str, int, str, int], proto: str, extra: Mapping[str, object]
) -> bytes:
    source, source_port, target, port = flow
    line = {
        "timestamp": moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
        "flow_id": int(moment.timestamp() * 1_000_000) % (1 << 50),
        "in_iface": "span0",
        "event_type": kind,
        "host": sensor,
        "src_ip": source,
        "src_port": source_port,
        "dest_ip": target,
        "dest_port": port,
        "proto": proto,
        **extra,
    }
    return json.dumps(line, separators=(",", ":")).encode()
