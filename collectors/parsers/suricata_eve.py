"""Suricata EVE (eve.json of 7.0 and 8.0) → ECS.

Source: Suricata user guide 7.0, "Eve JSON Format" (https://docs.suricata.io/en/suricata-7.0.10/output/eve/eve-json-format.html).
Originals stay under ``suricata.eve.*`` except the time and the addresses, which only change their names. ``source`` is who
sent the packet that an event speaks of (an alert on an answer has the server as source); ``client`` and ``server`` follow the flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from collectors.parsers.fields import flatten, mac, network_type, put, put_file, put_ip, put_port, relate, transport
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event, parse_timestamp
from kernel.record import RawRecord

_OT = {"modbus": "ot.modbus", "dnp3": "ot.dnp3", "enip": "ot.enip"}

_RENAMED = frozenset({"timestamp", "src_ip", "src_port", "dest_ip", "dest_port", "community_id", "pcap_cnt", "pkt_src"})

_KINDS: dict[str, tuple[list[str], list[str]]] = {
    # event_type → event.category, event.type; everything else is network/protocol
    "alert": (["intrusion_detection", "network"], ["info"]),
    "anomaly": (["network"], ["info"]),
    "flow": (["network"], ["connection"]),
    "netflow": (["network"], ["connection"]),
    "fileinfo": (["network", "file"], ["info"]),
    "http": (["network", "web"], ["access", "protocol"]),
    "http2": (["network", "web"], ["access", "protocol"]),
    "smtp": (["network", "email"], ["info", "protocol"]),
    "stats": (["host"], ["info"]),
    "drop": (["network"], ["denied"]),
}

_UNSEEN = "/libhtp::"
"""Mark of libhtp in place of a URL that was not seen."""

_UNDECIDED = frozenset({"failed", "unknown", ""})


def parse(record: RawRecord) -> list[Event]:
    """One line of eve.json → one event; raises ParseError for anything but a JSON object."""
    try:
        obj = msgspec.json.decode(record.raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"not a line of eve.json at {where(record)}: {error}") from error
    if not isinstance(obj, dict) or not isinstance(obj.get("event_type"), str):
        raise ParseError(f"not a line of eve.json at {where(record)}: no event_type")
    event = parse_eve(obj)
    event["event.original"] = decode(record.raw)
    return [event]


def parse_stored(record: RawRecord) -> list[Event]:
    """A ``file-stored`` record (collectors/filestore.py) → the event of a file that waits for YARA.

    ``file.path`` is where the copy lies on this machine, ``file.name`` the name it had on the wire.
    """
    try:
        stored = msgspec.json.decode(record.raw)
        path, sha256, size = str(stored["path"]), str(stored["sha256"]), int(stored["size"])
        note = stored.get("fileinfo") or {}
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"not a stored file at {where(record)}: {error}") from error
    event = parse_eve(note) if isinstance(note, dict) else {}
    wire_name, extension = event.get("file.name"), event.get("file.extension")
    put_file(event, path)
    event["file.name"] = wire_name or sha256
    event.pop("file.extension", None)
    put(event, "file.extension", extension)
    event |= {
        "event.kind": "event",
        "event.module": "suricata",
        "event.dataset": "suricata.file_stored",
        "event.category": ["file", "network"],
        "event.type": ["creation"],
        "event.action": "file-stored",
        "event.original": decode(record.raw),
        "file.hash.sha256": sha256,
        "file.size": size,
    }
    return [relate(event)]


def parse_eve(obj: Mapping[str, Any]) -> Event:
    """ECS event of one EVE object. Never raises: what has an unexpected shape stays under ``suricata.eve.*`` only."""
    kind = obj.get("event_type")
    kind = kind if isinstance(kind, str) and kind else "unknown"
    category, types = _KINDS.get(kind, (["network"], ["info", "protocol"]))
    event: Event = {
        "event.kind": "alert" if kind == "alert" else "metric" if kind == "stats" else "event",
        "event.module": "suricata",
        "event.dataset": _OT.get(kind, f"suricata.{kind}"),
        "event.category": list(category),
        "event.type": list(types),
    }
    stamp = obj.get("timestamp")
    if isinstance(stamp, str):
        put(event, "@timestamp", parse_timestamp(stamp))
    _network(obj, kind, event)
    for name, section in _SECTIONS.items():
        inner = obj.get(name)
        if isinstance(inner, Mapping):
            section(inner, event)
    files = obj.get("files")  # an alert names the files of its transaction
    if kind == "alert" and isinstance(files, list) and len(files) == 1 and isinstance(files[0], Mapping):
        _fileinfo(files[0], event)
    flatten({key: value for key, value in obj.items() if key not in _RENAMED}, "suricata.eve", event)
    return relate(event)


def _network(obj: Mapping[str, Any], kind: str, event: Event) -> None:
    put_ip(event, "source", obj.get("src_ip"))
    put_ip(event, "destination", obj.get("dest_ip"))
    put_port(event, "source.port", obj.get("src_port"))
    put_port(event, "destination.port", obj.get("dest_port"))
    network_type(event)
    put(event, "network.transport", transport(obj.get("proto")))
    put(event, "network.community_id", _text(obj, "community_id"))
    put(event, "observer.ingress.interface.name", _text(obj, "in_iface"))
    vlan = obj.get("vlan")
    if isinstance(vlan, list) and vlan and isinstance(vlan[0], int):
        event["network.vlan.id"] = str(vlan[0])
    flow = obj.get("flow")
    client = flow if isinstance(flow, Mapping) and "src_ip" in flow else None if kind in _EITHER_WAY else obj
    if client is not None:
        for side, prefix in (("client", "src"), ("server", "dest")):
            put_ip(event, side, client.get(f"{prefix}_ip"))
            put_port(event, f"{side}.port", client.get(f"{prefix}_port"))
    protocol = obj.get("app_proto")
    if not isinstance(protocol, str) or protocol in _UNDECIDED:
        protocol = kind if kind in obj and kind not in _NOT_PROTOCOLS else None
    put(event, "network.protocol", protocol)


_EITHER_WAY = frozenset({"alert", "anomaly", "fileinfo", "drop"})
"""Events whose addresses follow one packet, so that only an inner ``flow`` tells who the client is."""

_NOT_PROTOCOLS = frozenset({"alert", "anomaly", "flow", "netflow", "stats", "fileinfo", "drop", "frame"})


def _server_side(event: Event) -> str:
    """``source`` or ``destination``, whichever is the server of the flow; "" when the event does not tell."""
    if "client.ip" not in event:
        return ""
    ends = [(event.get(f"{side}.ip"), event.get(f"{side}.port")) for side in ("server", "source", "destination")]
    return "source" if ends[0] == ends[1] != ends[2] else "destination"


def _server_name(event: Event, name: str | None) -> None:
    side = _server_side(event)
    if side:
        put(event, f"{side}.domain", name)


def _flow(flow: Mapping[str, Any], event: Event) -> None:
    client, server = ("destination", "source") if _server_side(event) == "source" else ("source", "destination")
    totals = {"bytes": 0, "packets": 0}
    for unit, word in (("bytes", "bytes"), ("packets", "pkts")):
        for side, way in ((client, "toserver"), (server, "toclient")):
            amount = flow.get(f"{word}_{way}")
            if isinstance(amount, int):
                event[f"{side}.{unit}"] = amount
                totals[unit] += amount
        if totals[unit]:
            event[f"network.{unit}"] = totals[unit]
    if event["event.dataset"] != "suricata.flow":
        return
    for field in ("start", "end"):
        stamp = flow.get(field)
        put(event, f"event.{field}", parse_timestamp(stamp) if isinstance(stamp, str) else None)
    put(event, "event.reason", _text(flow, "reason"))
    put(event, "event.action", _text(flow, "state"))
    age = flow.get("age")
    if isinstance(age, int):
        event["event.duration"] = age * 1_000_000_000


def _dns(dns: Mapping[str, Any], event: Event) -> None:
    questions = dns.get("queries") or dns.get("query")  # version 3 │ alert of version 2
    question = questions[0] if isinstance(questions, list) and questions and isinstance(questions[0], Mapping) else dns
    put(event, "dns.question.name", _text(question, "rrname"))
    put(event, "dns.question.type", _text(question, "rrtype"))
    put(event, "dns.id", _text(dns, "id") or _text(question, "id"))
    kind = _text(dns, "type") or _text(question, "type")
    put(event, "dns.type", {"request": "query", "query": "query", "answer": "answer", "response": "answer"}.get(kind or ""))
    put(event, "dns.response_code", _text(dns, "rcode"))
    answers = [answer for answer in _list(dns, "answers") if isinstance(answer, Mapping)]
    names = [data for answer in answers if (data := _text(answer, "rdata"))]
    if names:
        event["dns.answers.data"] = names
    grouped = dns.get("grouped")
    resolved = [a for k in ("A", "AAAA") for a in _list(grouped, k)] if isinstance(grouped, Mapping) else []
    resolved = resolved or [_text(answer, "rdata") for answer in answers if answer.get("rrtype") in ("A", "AAAA")]
    addresses = [a for a in resolved if isinstance(a, str)]
    if addresses:
        event["dns.resolved_ip"] = addresses


def _http(http: Mapping[str, Any], event: Event) -> None:
    put(event, "http.request.method", _text(http, "http_method"))
    put(event, "http.request.referrer", _text(http, "http_refer"))
    put(event, "http.response.status_code", http.get("status") if isinstance(http.get("status"), int) else None)
    put(event, "http.response.body.bytes", http.get("length") if isinstance(http.get("length"), int) else None)
    put(event, "http.response.mime_type", _text(http, "http_content_type"))
    put(event, "user_agent.original", _text(http, "http_user_agent"))
    protocol = _text(http, "protocol") or ""
    if protocol.startswith("HTTP/"):
        event["http.version"] = protocol[5:]
    host = _text(http, "hostname")
    put(event, "url.domain", host)
    _server_name(event, host)
    target = _text(http, "url")
    if target is None or target.startswith(_UNSEEN):
        return
    _url(target, host, http.get("http_port"), event)


def _url(target: str, host: str | None, port: Any, event: Event) -> None:
    event["url.original"] = target
    try:
        parts = urlsplit(target)
    except ValueError:
        return  # hostile text such as http://[ ; the original is kept
    put(event, "url.path", parts.path)
    put(event, "url.query", parts.query)
    name = parts.path.rpartition("/")[2]
    if "." in name.strip("."):
        event["url.extension"] = name.rpartition(".")[2].lower()
    put_port(event, "url.port", port)
    if parts.scheme:
        event["url.full"], event["url.scheme"] = target, parts.scheme
    elif host:
        event["url.scheme"] = "http"
        shown = f"[{host}]" if ":" in host and not host.startswith("[") and host.count(":") > 1 else host
        explicit = f":{event['url.port']}" if "url.port" in event and event["url.port"] != 80 and ":" not in shown else ""
        event["url.full"] = f"http://{shown}{explicit}{target if target.startswith('/') else '/' + target}"


def _tls(tls: Mapping[str, Any], event: Event) -> None:
    put(event, "tls.client.server_name", _text(tls, "sni"))
    _server_name(event, _text(tls, "sni"))
    version = _text(tls, "version") or ""
    name, _, number = version.rpartition(" ")
    if number[:1].isdigit():
        event["tls.version"] = number
        put(event, "tls.version_protocol", name.lower() or "tls")
    elif version.startswith(("TLSv", "SSLv")):
        event["tls.version"], event["tls.version_protocol"] = version[4:], version[:3].lower()
    put(event, "tls.server.subject", _text(tls, "subject"))
    put(event, "tls.server.issuer", _text(tls, "issuerdn"))
    put(event, "tls.server.x509.serial_number", (_text(tls, "serial") or "").replace(":", ""))
    put(event, "tls.server.hash.sha1", (_text(tls, "fingerprint") or "").replace(":", "").upper())
    for ours, theirs in (("not_before", "notbefore"), ("not_after", "notafter")):
        put(event, f"tls.server.{ours}", parse_timestamp(_text(tls, theirs) or ""))
    put(event, "tls.client.ja3", _hash(tls.get("ja3")))
    put(event, "tls.server.ja3s", _hash(tls.get("ja3s")))
    put(event, "tls.client.ja4", _text(tls, "ja4"))
    if isinstance(tls.get("session_resumed"), bool):
        event["tls.resumed"] = tls["session_resumed"]


def _quic(quic: Mapping[str, Any], event: Event) -> None:
    put(event, "tls.client.server_name", _text(quic, "sni"))
    _server_name(event, _text(quic, "sni"))
    put(event, "tls.client.ja3", _hash(quic.get("ja3")))
    put(event, "tls.client.ja4", _text(quic, "ja4"))
    put(event, "user_agent.original", _text(quic, "ua"))


def _fileinfo(file: Mapping[str, Any], event: Event) -> None:
    name = _text(file, "filename")
    put_file(event, None if name is None or name.startswith(_UNSEEN) else name)
    put(event, "file.size", file.get("size") if isinstance(file.get("size"), int) else None)
    put(event, "file.mime_type", _text(file, "mimetype"))
    for algorithm in ("md5", "sha1", "sha256"):
        put(event, f"file.hash.{algorithm}", _text(file, algorithm))


def _alert(alert: Mapping[str, Any], event: Event) -> None:
    gid, sid = alert.get("gid"), alert.get("signature_id")
    if isinstance(sid, int):
        event["rule.id"] = f"suricata:{gid if isinstance(gid, int) else 1}:{sid}"
    put(event, "rule.name", _text(alert, "signature"))
    put(event, "message", _text(alert, "signature"))
    put(event, "rule.category", _text(alert, "category"))
    put(event, "rule.version", _text(alert, "rev"))
    put(event, "rule.ruleset", "suricata")
    put(event, "rule.reference", [r for r in _list(alert, "references") if isinstance(r, str)] or None)
    put(event, "event.severity", alert.get("severity") if isinstance(alert.get("severity"), int) else None)
    action = _text(alert, "action")
    put(event, "event.action", action)
    event["event.type"] = ["denied"] if action == "blocked" else ["allowed"] if action == "allowed" else ["info"]
    metadata = alert.get("metadata")
    if isinstance(metadata, Mapping):
        techniques = [t for t in _list(metadata, "mitre_technique_id") if isinstance(t, str)]
        put(event, "threat.technique.id", [t.replace("_", ".") for t in techniques] or None)
        tactics = [t for t in _list(metadata, "mitre_tactic_name") if isinstance(t, str)]
        put(event, "threat.tactic.name", [t.replace("_", " ") for t in tactics] or None)


def _anomaly(anomaly: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", _text(anomaly, "event"))
    put(event, "event.code", _text(anomaly, "type"))


def _ssh(ssh: Mapping[str, Any], event: Event) -> None:
    for side, ours in (("client", "user_agent.original"), ("server", "server.software.version")):
        inner = ssh.get(side)
        if isinstance(inner, Mapping):
            put(event, ours, _text(inner, "software_version"))


def _smtp(smtp: Mapping[str, Any], event: Event) -> None:
    put(event, "email.from.address", (_text(smtp, "mail_from") or "").strip("<> "))
    put(event, "email.to.address", [t.strip("<> ") for t in _list(smtp, "rcpt_to") if isinstance(t, str)] or None)
    put(event, "client.domain", _text(smtp, "helo"))


def _email(email: Mapping[str, Any], event: Event) -> None:
    put(event, "email.subject", _text(email, "subject"))
    put(event, "email.message_id", (_text(email, "message_id") or "").strip("<> "))
    names = [name for name in _list(email, "attachment") if isinstance(name, str)]
    put(event, "email.attachments.file.name", names or None)


def _smb(smb: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", (_text(smb, "command") or "").lower())
    put_file(event, _text(smb, "filename"))
    session = smb.get("ntlmssp")
    if isinstance(session, Mapping):
        put(event, "user.name", _text(session, "user"))
        put(event, "user.domain", _text(session, "domain"))
        put(event, "source.domain", _text(session, "host"))


def _krb5(krb5: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", (_text(krb5, "msg_type") or "").lower())
    put(event, "user.name", _text(krb5, "cname"))
    put(event, "user.domain", _text(krb5, "realm"))
    put(event, "service.name", _text(krb5, "sname"))


def _ftp(ftp: Mapping[str, Any], event: Event) -> None:
    command = (_text(ftp, "command") or "").upper()
    put(event, "event.action", command.lower())
    if command == "USER":
        put(event, "user.name", _text(ftp, "command_data"))


def _dhcp(dhcp: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", _text(dhcp, "dhcp_type") or _text(dhcp, "type"))
    put(event, "source.mac" if _text(dhcp, "type") == "request" else "destination.mac", mac(_text(dhcp, "client_mac") or ""))
    put(event, "host.hostname", _text(dhcp, "hostname"))


def _modbus(modbus: Mapping[str, Any], event: Event) -> None:
    asked = modbus.get("request") or modbus.get("response")
    if isinstance(asked, Mapping):
        put(event, "event.action", _text(asked, "function_code"))
        put(event, "event.code", _text(asked, "function_raw"))


_DNP3_FUNCTIONS = {
    # IEEE 1815-2012, 4.4.2 application function codes
    **dict(enumerate(["confirm", "read", "write", "select", "operate", "direct_operate", "direct_operate_nr"])),
    **dict(
        enumerate(["immed_freeze", "immed_freeze_nr", "freeze_clear", "freeze_clear_nr", "freeze_at_time", "freeze_at_time_nr"], 7)
    ),
    **dict(
        enumerate(
            ["cold_restart", "warm_restart", "initialize_data", "initialize_appl", "start_appl", "stop_appl", "save_config"], 13
        )
    ),
    **dict(enumerate(["enable_unsolicited", "disable_unsolicited", "assign_class", "delay_measure", "record_current_time"], 20)),
    **dict(enumerate(["open_file", "close_file", "delete_file", "get_file_info", "authenticate_file", "abort_file"], 25)),
    **dict(enumerate(["activate_config", "authenticate_req", "auth_req_no_ack"], 31)),
    **dict(enumerate(["response", "unsolicited_response", "authenticate_resp"], 129)),
}


def _dnp3(dnp3: Mapping[str, Any], event: Event) -> None:
    # events hold the application layer directly; alerts split it into request and response
    inner = dnp3.get("request") or dnp3.get("response") or dnp3
    application = inner.get("application") if isinstance(inner, Mapping) else None
    code = application.get("function_code") if isinstance(application, Mapping) else None
    if isinstance(code, int):
        event["event.code"] = str(code)
        put(event, "event.action", _DNP3_FUNCTIONS.get(code))


def _sip(sip: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", (_text(sip, "method") or "").lower())
    put(event, "url.original", _text(sip, "uri"))


def _ether(ether: Mapping[str, Any], event: Event) -> None:
    put(event, "source.mac", mac(_text(ether, "src_mac") or ""))
    put(event, "destination.mac", mac(_text(ether, "dest_mac") or ""))


_SECTIONS: dict[str, Callable[[Mapping[str, Any], Event], None]] = {
    "flow": _flow,
    "netflow": _flow,
    "dns": _dns,
    "http": _http,
    "tls": _tls,
    "quic": _quic,
    "smb": _smb,
    "smtp": _smtp,
    "email": _email,
    "fileinfo": _fileinfo,
    "ssh": _ssh,
    "krb5": _krb5,
    "ftp": _ftp,
    "dhcp": _dhcp,
    "modbus": _modbus,
    "dnp3": _dnp3,
    "sip": _sip,
    "ether": _ether,
    "anomaly": _anomaly,
    "alert": _alert,  # last: its action and type win
}


def _text(section: Mapping[str, Any], key: str) -> str | None:
    value = section.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _list(section: Mapping[str, Any], key: str) -> list[Any]:
    value = section.get(key)
    return value if isinstance(value, list) else []


def _hash(value: Any) -> str | None:
    """JA3 comes as ``{"hash": …, "string": …}``."""
    return _text(value, "hash") if isinstance(value, Mapping) else None
