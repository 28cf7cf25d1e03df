"""The sections of an EVE object (``http``, ``dns``, ``tls``, …) → ECS fields; one function per section.

Source: Suricata user guide 7.0, "Eve JSON Format". A section may have any shape (files from outside are read too): what is not
as documented is left out here and stays under ``suricata.eve.*``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from collectors.parsers.fields import mac, put, put_file, put_port
from kernel.event import Event, parse_timestamp

_UNSEEN = "/libhtp::"
"""Mark of libhtp in place of a URL that was not seen."""


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
    put(event, "event.reason", text_of(flow, "reason"))
    put(event, "event.action", text_of(flow, "state"))
    age = flow.get("age")
    if isinstance(age, int):
        event["event.duration"] = age * 1_000_000_000


def _dns(dns: Mapping[str, Any], event: Event) -> None:
    questions = dns.get("queries") or dns.get("query")  # version 3 │ alert of version 2
    question = questions[0] if isinstance(questions, list) and questions and isinstance(questions[0], Mapping) else dns
    put(event, "dns.question.name", text_of(question, "rrname"))
    put(event, "dns.question.type", text_of(question, "rrtype"))
    put(event, "dns.id", text_of(dns, "id") or text_of(question, "id"))
    kind = text_of(dns, "type") or text_of(question, "type")
    put(event, "dns.type", {"request": "query", "query": "query", "answer": "answer", "response": "answer"}.get(kind or ""))
    put(event, "dns.response_code", text_of(dns, "rcode"))
    answers = [answer for answer in _list(dns, "answers") if isinstance(answer, Mapping)]
    names = [data for answer in answers if (data := text_of(answer, "rdata"))]
    if names:
        event["dns.answers.data"] = names
    grouped = dns.get("grouped")
    resolved = [a for k in ("A", "AAAA") for a in _list(grouped, k)] if isinstance(grouped, Mapping) else []
    resolved = resolved or [text_of(answer, "rdata") for answer in answers if answer.get("rrtype") in ("A", "AAAA")]
    addresses = [a for a in resolved if isinstance(a, str)]
    if addresses:
        event["dns.resolved_ip"] = addresses


def _http(http: Mapping[str, Any], event: Event) -> None:
    put(event, "http.request.method", text_of(http, "http_method"))
    put(event, "http.request.referrer", text_of(http, "http_refer"))
    put(event, "http.response.status_code", http.get("status") if isinstance(http.get("status"), int) else None)
    put(event, "http.response.body.bytes", http.get("length") if isinstance(http.get("length"), int) else None)
    put(event, "http.response.mime_type", text_of(http, "http_content_type"))
    put(event, "user_agent.original", text_of(http, "http_user_agent"))
    protocol = text_of(http, "protocol") or ""
    if protocol.startswith("HTTP/"):
        event["http.version"] = protocol[5:]
    host = text_of(http, "hostname")
    put(event, "url.domain", host)
    _server_name(event, host)
    target = text_of(http, "url")
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
    put(event, "tls.client.server_name", text_of(tls, "sni"))
    _server_name(event, text_of(tls, "sni"))
    version = text_of(tls, "version") or ""
    name, _, number = version.rpartition(" ")
    if number[:1].isdigit():
        event["tls.version"] = number
        put(event, "tls.version_protocol", name.lower() or "tls")
    elif version.startswith(("TLSv", "SSLv")):
        event["tls.version"], event["tls.version_protocol"] = version[4:], version[:3].lower()
    put(event, "tls.server.subject", text_of(tls, "subject"))
    put(event, "tls.server.issuer", text_of(tls, "issuerdn"))
    put(event, "tls.server.x509.serial_number", (text_of(tls, "serial") or "").replace(":", ""))
    put(event, "tls.server.hash.sha1", (text_of(tls, "fingerprint") or "").replace(":", "").upper())
    for ours, theirs in (("not_before", "notbefore"), ("not_after", "notafter")):
        put(event, f"tls.server.{ours}", parse_timestamp(text_of(tls, theirs) or ""))
    put(event, "tls.client.ja3", _hash(tls.get("ja3")))
    put(event, "tls.server.ja3s", _hash(tls.get("ja3s")))
    put(event, "tls.client.ja4", text_of(tls, "ja4"))
    if isinstance(tls.get("session_resumed"), bool):
        event["tls.resumed"] = tls["session_resumed"]


def _quic(quic: Mapping[str, Any], event: Event) -> None:
    put(event, "tls.client.server_name", text_of(quic, "sni"))
    _server_name(event, text_of(quic, "sni"))
    put(event, "tls.client.ja3", _hash(quic.get("ja3")))
    put(event, "tls.client.ja4", text_of(quic, "ja4"))
    put(event, "user_agent.original", text_of(quic, "ua"))


def _fileinfo(file: Mapping[str, Any], event: Event) -> None:
    name = text_of(file, "filename")
    put_file(event, None if name is None or name.startswith(_UNSEEN) else name)
    put(event, "file.size", file.get("size") if isinstance(file.get("size"), int) else None)
    put(event, "file.mime_type", text_of(file, "mimetype"))
    if file.get("state") == "TRUNCATED":  # the size limit or a gap: hashes and the stored copy are of the part that was seen
        event["tags"] = ["file-truncated"]
    for algorithm in ("md5", "sha1", "sha256"):
        put(event, f"file.hash.{algorithm}", text_of(file, algorithm))


def _alert(alert: Mapping[str, Any], event: Event) -> None:
    gid, sid = alert.get("gid"), alert.get("signature_id")
    if isinstance(sid, int):
        event["rule.id"] = f"suricata:{gid if isinstance(gid, int) else 1}:{sid}"
    put(event, "rule.name", text_of(alert, "signature"))
    put(event, "message", text_of(alert, "signature"))
    put(event, "rule.category", text_of(alert, "category"))
    put(event, "rule.version", text_of(alert, "rev"))
    put(event, "rule.ruleset", "suricata")
    put(event, "rule.reference", [r for r in _list(alert, "references") if isinstance(r, str)] or None)
    put(event, "event.severity", alert.get("severity") if isinstance(alert.get("severity"), int) else None)
    action = text_of(alert, "action")
    put(event, "event.action", action)
    event["event.type"] = ["denied"] if action == "blocked" else ["allowed"] if action == "allowed" else ["info"]
    metadata = alert.get("metadata")
    if isinstance(metadata, Mapping):
        techniques = [t for t in _list(metadata, "mitre_technique_id") if isinstance(t, str)]
        put(event, "threat.technique.id", [t.replace("_", ".") for t in techniques] or None)
        tactics = [t for t in _list(metadata, "mitre_tactic_name") if isinstance(t, str)]
        put(event, "threat.tactic.name", [t.replace("_", " ") for t in tactics] or None)


def _anomaly(anomaly: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", text_of(anomaly, "event"))
    put(event, "event.code", text_of(anomaly, "type"))


def _ssh(ssh: Mapping[str, Any], event: Event) -> None:
    for side, ours in (("client", "user_agent.original"), ("server", "server.software.version")):
        inner = ssh.get(side)
        if isinstance(inner, Mapping):
            put(event, ours, text_of(inner, "software_version"))


def _smtp(smtp: Mapping[str, Any], event: Event) -> None:
    put(event, "email.from.address", (text_of(smtp, "mail_from") or "").strip("<> "))
    put(event, "email.to.address", [t.strip("<> ") for t in _list(smtp, "rcpt_to") if isinstance(t, str)] or None)
    put(event, "client.domain", text_of(smtp, "helo"))


def _email(email: Mapping[str, Any], event: Event) -> None:
    put(event, "email.subject", text_of(email, "subject"))
    put(event, "email.message_id", (text_of(email, "message_id") or "").strip("<> "))
    names = [name for name in _list(email, "attachment") if isinstance(name, str)]
    put(event, "email.attachments.file.name", names or None)


def _smb(smb: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", (text_of(smb, "command") or "").lower())
    put_file(event, text_of(smb, "filename"))
    session = smb.get("ntlmssp")
    if isinstance(session, Mapping):
        put(event, "user.name", text_of(session, "user"))
        put(event, "user.domain", text_of(session, "domain"))
        put(event, "source.domain", text_of(session, "host"))


def _krb5(krb5: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", (text_of(krb5, "msg_type") or "").lower())
    put(event, "user.name", text_of(krb5, "cname"))
    put(event, "user.domain", text_of(krb5, "realm"))
    put(event, "service.name", text_of(krb5, "sname"))


def _ftp(ftp: Mapping[str, Any], event: Event) -> None:
    command = (text_of(ftp, "command") or "").upper()
    put(event, "event.action", command.lower())
    if command == "USER":
        put(event, "user.name", text_of(ftp, "command_data"))


def _pgsql(pgsql: Mapping[str, Any], event: Event) -> None:
    request, response = pgsql.get("request"), pgsql.get("response")
    if isinstance(request, Mapping):
        started = request.get("startup_parameters")
        put(event, "user.name", text_of(started, "user") if isinstance(started, Mapping) else None)
        put(event, "event.action", "query" if "simple_query" in request else text_of(request, "message"))
    if isinstance(response, Mapping) and "severity_non_localizable" in response:
        put(event, "event.outcome", "failure")
        put(event, "event.code", text_of(response, "code"))


def _dhcp(dhcp: Mapping[str, Any], event: Event) -> None:
    put(event, "event.action", text_of(dhcp, "dhcp_type") or text_of(dhcp, "type"))
    side = "source" if text_of(dhcp, "type") == "request" else "destination"
    if _is_relayed(dhcp, event):  # neither end has the client's card: they are the relay and the server
        side = "host"
    put(event, f"{side}.mac", mac(text_of(dhcp, "client_mac") or ""))
    put(event, "host.hostname", text_of(dhcp, "hostname"))


def _is_relayed(dhcp: Mapping[str, Any], event: Event) -> bool:
    """True between a relay agent and a server: giaddr is set, or both use the server's port (RFC 1542 4.1, RFC 2131 4.1)."""
    given = text_of(dhcp, "relay_ip") not in (None, "", "0.0.0.0")  # noqa: S104 - giaddr of a message that came directly
    return given or event.get("source.port") == event.get("destination.port") == 67


def _modbus(modbus: Mapping[str, Any], event: Event) -> None:
    asked = modbus.get("request") or modbus.get("response")
    if isinstance(asked, Mapping):
        put(event, "event.action", text_of(asked, "function_code"))
        put(event, "event.code", text_of(asked, "function_raw"))


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
    put(event, "event.action", (text_of(sip, "method") or "").lower())
    put(event, "url.original", text_of(sip, "uri"))


def _ether(ether: Mapping[str, Any], event: Event) -> None:
    put(event, "source.mac", mac(text_of(ether, "src_mac") or ""))
    put(event, "destination.mac", mac(text_of(ether, "dest_mac") or ""))


SECTIONS: dict[str, Callable[[Mapping[str, Any], Event], None]] = {
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
    "pgsql": _pgsql,
    "ether": _ether,
    "dhcp": _dhcp,  # after ether: the card that a client names is its own, that of the frame may be a router's
    "modbus": _modbus,
    "dnp3": _dnp3,
    "sip": _sip,
    "anomaly": _anomaly,
    "alert": _alert,  # last: its action and type win
}


def text_of(section: Mapping[str, Any], key: str) -> str | None:
    """A text or whole number of a section, as text."""
    value = section.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _list(section: Mapping[str, Any], key: str) -> list[Any]:
    value = section.get(key)
    return value if isinstance(value, list) else []


def _hash(value: Any) -> str | None:
    """JA3 comes as ``{"hash": …, "string": …}``."""
    return text_of(value, "hash") if isinstance(value, Mapping) else None
