"""What the network sensors write: lines of Suricata's eve.json (Suricata user guide 7.0, "Eve JSON Format")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kernel.event import SHANGHAI

Flow = tuple[str, int, str, int]
"""Client address and port, server address and port."""

_MODBUS = {
    3: ("RdHoldRegs", "READ | HOLDING", "read"),
    4: ("RdInputRegs", "READ | INPUT", "read"),
    5: ("WrSingleCoil", "WRITE | COILS | SINGLE | WRITE_SINGLE", "write"),
    6: ("WrSingleReg", "WRITE | HOLDING | SINGLE | WRITE_SINGLE", "write"),
}
"""Function → how Suricata 7 names it (Modbus Application Protocol V1.1b3 §6)."""

APPLICATIONS = {80: "http", 443: "tls", 445: "smb", 88: "krb5", 22: "ssh", 53: "dns", 1883: "mqtt", 502: "modbus", 5060: "sip"}
"""Port → the application layer Suricata 7 finds there; it knows neither RTSP nor databases and says ``failed``."""


def dns(moment: datetime, sensor: str, source: str, server: str, port: int, name: str, kind: str) -> bytes:
    """A DNS question."""
    extra = {"dns": {"type": "query", "id": port % 65521, "rrname": name, "rrtype": kind, "tx_id": 0}}
    return _line(moment, sensor, "dns", (source, port, server, 53), "UDP", extra)


def modbus(moment: datetime, sensor: str, flow: Flow, function: int, address: int, value: int) -> bytes:
    """A Modbus transaction; functions 3 and 4 read registers, 5 writes a coil, 6 a register."""
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
    return _line(moment, sensor, "modbus", flow, "TCP", {"modbus": {"id": 1, "request": request}})


def flow(
    moment: datetime,
    sensor: str,
    flow: Flow,
    proto: str = "TCP",
    sent: int = 2_400,
    received: int = 18_000,
    seconds: int = 4,
    answered: bool = True,
) -> bytes:
    """A connection that has ended. ``sent`` bytes by the client, ``received`` by it; not ``answered``: the server said nothing."""
    received = received if answered else 0
    record = {
        "pkts_toserver": 4 + sent // 1_200,
        "pkts_toclient": 3 + received // 1_200 if answered else 0,
        "bytes_toserver": sent,
        "bytes_toclient": received,
        "start": _stamp(moment - timedelta(seconds=seconds)),
        "end": _stamp(moment),
        "age": seconds,
        "state": ("closed" if proto == "TCP" else "established") if answered else "new",
        "reason": "timeout",
        "alerted": False,
    }
    application = APPLICATIONS.get(flow[3], "failed") if answered else "unknown"
    return _line(moment, sensor, "flow", flow, proto, {"app_proto": application, "flow": record})


def http(
    moment: datetime,
    sensor: str,
    flow: Flow,
    host: str,
    url: str,
    method: str = "GET",
    status: int = 200,
    length: int = 2_048,
    agent: str = "curl/7.88.1",
    kind: str = "text/html",
) -> bytes:
    """An HTTP request with its answer."""
    request = {
        "hostname": host,
        "url": url,
        "http_user_agent": agent,
        "http_content_type": kind,
        "http_method": method,
        "protocol": "HTTP/1.1",
        "status": status,
        "length": length,
    }
    return _line(moment, sensor, "http", flow, "TCP", {"tx_id": 0, "http": request})


def tls(moment: datetime, sensor: str, flow: Flow, name: str, issuer: str = "C=CN, O=CFCA, CN=CFCA OV OCA") -> bytes:
    """A TLS handshake."""
    session = {"sni": name, "version": "TLS 1.2", "subject": f"CN={name}", "issuerdn": issuer}
    return _line(moment, sensor, "tls", flow, "TCP", {"tls": session})


def dhcp(moment: datetime, sensor: str, vlan: int, mac: str, address: str, server: str, name: str, answer: bool) -> bytes:
    """A DHCP request (to everybody, from nobody yet) or, ``answer``, the server's acknowledgement (RFC 2131 §3.1)."""
    message: dict[str, Any] = {
        "type": "reply" if answer else "request",
        "id": int(mac.replace(":", "")[4:], 16),
        "client_mac": mac,
        "assigned_ip": address if answer else "0.0.0.0",  # noqa: S104 - a field of the message
        "dhcp_type": "ack" if answer else "request",
    }
    if answer:
        message |= {"lease_time": 43_200, "subnet_mask": "255.255.0.0"}
        return _line(moment, sensor, "dhcp", (server, 67, address, 68), "UDP", {"vlan": [vlan], "dhcp": message})
    message |= {"requested_ip": address, "hostname": name}
    everybody = ("0.0.0.0", 68, "255.255.255.255", 67)  # noqa: S104 - addresses of the packet
    return _line(moment, sensor, "dhcp", everybody, "UDP", {"vlan": [vlan], "dhcp": message})


def dhcp_renewal(moment: datetime, sensor: str, vlan: int, mac: str, address: str, server: str, name: str) -> bytes:
    """A DHCP request of somebody who has an address already and asks the server to keep it (RFC 2131 §4.4.5)."""
    message = {"type": "request", "id": 0x1F2E3D4C, "client_mac": mac, "assigned_ip": "0.0.0.0", "client_ip": address}  # noqa: S104
    message |= {"dhcp_type": "request", "hostname": name}
    return _line(moment, sensor, "dhcp", (address, 68, server, 67), "UDP", {"vlan": [vlan], "dhcp": message})


def mqtt(moment: datetime, sensor: str, flow: Flow, topic: str, message: str) -> bytes:
    """An MQTT 3.1.1 message sent to the broker."""
    publish = {"qos": 1, "retain": False, "dup": False, "topic": topic, "message_id": flow[1] % 65_535 + 1, "message": message}
    return _line(moment, sensor, "mqtt", flow, "TCP", {"tx_id": 1, "mqtt": {"publish": publish}})


def sip(moment: datetime, sensor: str, flow: Flow, method: str, target: str, code: int = 0) -> bytes:
    """A SIP request, or with ``code`` the answer to one (the sender of the packet stays first)."""
    if code:
        reason = {200: "OK", 401: "Unauthorized", 403: "Forbidden"}[code]
        message = {"version": "SIP/2.0", "code": str(code), "reason": reason, "response_line": f"SIP/2.0 {code} {reason}"}
    else:
        message = {"method": method, "uri": target, "version": "SIP/2.0", "request_line": f"{method} {target} SIP/2.0"}
    return _line(moment, sensor, "sip", flow, "UDP", {"sip": message})


def smb(moment: datetime, sensor: str, flow: Flow, command: str, share: str, name: str) -> bytes:
    """An SMB 3 request for a file on a share."""
    request = {
        "id": 4,
        "dialect": "3.11",
        "command": command,
        "status": "STATUS_SUCCESS",
        "status_code": "0x0",
        "share": share,
        "filename": name,
    }
    return _line(moment, sensor, "smb", flow, "TCP", {"tx_id": 3, "smb": request})


def _stamp(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S.%f%z")


def _line(moment: datetime, sensor: str, kind: str, flow: Flow, proto: str, extra: Mapping[str, object]) -> bytes:
    source, source_port, target, port = flow
    line = {
        "timestamp": _stamp(moment),
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
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
