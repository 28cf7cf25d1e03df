"""Zeek JSON logs → ECS; originals under ``zeek.<log>.<field>`` (Zeek manual, "Log Files")."""

from __future__ import annotations

from typing import Any, Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from kernel.event import Event

_GUESS: Final = (
    # field that only this log has, log
    ("conn_state", "conn"),
    ("qtype_name", "dns"),
    ("status_code", "http"),
    ("server_name", "ssl"),
    ("ja3", "ssl"),
    ("fuid", "files"),
    ("named_pipe", "dce_rpc"),
    ("share_type", "smb_mapping"),
    ("func", "modbus"),
    ("request_type", "kerberos"),
    ("security_protocol", "rdp"),
    ("certificate.serial", "x509"),
    ("client_dialects", "smb_cmd"),
    ("host_key_alg", "ssh"),
    ("auth_success", "ssh"),
    ("times.modified", "smb_files"),
    ("action", "smb_files"),
    ("note", "notice"),
)
_DIRECT: Final = {
    "query": "dns.question.name",
    "qtype_name": "dns.question.type",
    "qclass_name": "dns.question.class",
    "rcode_name": "dns.response_code",
    "method": "http.request.method",
    "status_code": "http.response.status_code",
    "user_agent": "user_agent.original",
    "referrer": "http.request.referrer",
    "server_name": "tls.client.server_name",
    "ja3": "tls.client.ja3",
    "ja3s": "tls.server.ja3s",
    "subject": "tls.server.subject",
    "issuer": "tls.server.issuer",
    "cipher": "tls.cipher",
    "md5": "file.hash.md5",
    "sha1": "file.hash.sha1",
    "sha256": "file.hash.sha256",
    "filename": "file.name",
    "mime_type": "file.mime_type",
    "service": "network.protocol",
    "community_id": "network.community_id",
    "username": "user.name",
    "client": "user.name",
    "orig_bytes": "source.bytes",
    "resp_bytes": "destination.bytes",
    "orig_pkts": "source.packets",
    "resp_pkts": "destination.packets",
}


def fits(obj: dict[str, Any]) -> bool:
    """True for a line of a Zeek log."""
    return ("id.orig_h" in obj or (isinstance(obj.get("id"), dict) and "orig_h" in obj["id"])) or (
        "ts" in obj and ("_path" in obj or "certificate.serial" in obj)
    )


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event; ``_path`` names the log, else its own fields do."""
    path = obj.get("_path")
    log = path if isinstance(path, str) else next((name for field, name in _GUESS if field in obj), "unknown")
    flat: Event = {}
    ecs.flatten(obj, "", flat)
    event: Event = {
        "event.kind": "alert" if log == "notice" else "event",
        "event.dataset": f"zeek.{log}",
        "event.module": "zeek",
        "event.category": ["network"],
        "event.type": ["connection" if log == "conn" else "protocol"],
        "event.original": original,
    }
    for name, value in flat.items():
        if name not in ("_path", "ts", "@timestamp"):
            event[f"zeek.{log}.{name}"] = value
    stamp = obj.get("ts", obj.get("@timestamp"))
    ecs.put(event, "@timestamp", clock.local(stamp) or clock.epoch(stamp) if isinstance(stamp, str) else clock.epoch(stamp))
    ecs.put_ip(event, "source", flat.get("id.orig_h"))
    ecs.put_ip(event, "destination", flat.get("id.resp_h"))
    ecs.put_port(event, "source.port", flat.get("id.orig_p"))
    ecs.put_port(event, "destination.port", flat.get("id.resp_p"))
    ecs.put(event, "network.transport", ecs.transport(flat.get("proto")))
    for name, field in _DIRECT.items():
        if name in flat:
            ecs.put(event, field, flat[name])
    if log == "http":
        ecs.put(event, "url.domain", flat.get("host"))
        ecs.put(event, "url.original", flat.get("uri"))
        path_text, _, query = str(flat.get("uri", "")).partition("?")
        ecs.put(event, "url.path", path_text)
        ecs.put(event, "url.query", query)
    elif log == "dns":
        event["network.protocol"] = "dns"
        answers = flat.get("answers")
        addresses = [found for one in answers if (found := ecs.clean_ip(str(one)))] if isinstance(answers, list) else []
        if addresses:
            event["dns.resolved_ip"] = addresses
    ecs.network_type(event)
    return [ecs.relate(event)]
