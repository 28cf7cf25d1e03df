"""Web servers that log JSON (Caddy, nginx ``log_format`` with JSON names) → ECS."""

from __future__ import annotations

from typing import Any

from collectors.parsers import auditd, clock, web_access
from collectors.parsers import fields as ecs
from kernel.event import Event, parse_timestamp

_CADDY = "http.log.access"


def fits(obj: dict[str, Any]) -> bool:
    """True for Caddy's access log and for flat objects that carry nginx variable names."""
    return str(obj.get("logger", "")).startswith(_CADDY) or ("remote_addr" in obj and ("request" in obj or "request_uri" in obj))


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event."""
    event: Event = {"event.kind": "event", "event.dataset": "web.access", "event.original": original}
    if isinstance(obj.get("request"), dict):
        _caddy(event, obj, obj["request"])
    else:
        _nginx(event, obj)
    status = ecs.as_int(obj.get("status"))
    if status is not None:
        event["http.response.status_code"] = status
        event["event.outcome"] = "failure" if status >= 400 else "success"
    event["event.category"], event["event.type"] = ["web"], ["access"]
    ecs.network_type(event)
    return [ecs.relate(event)]


def web_line(event: Event, line: str) -> None:
    """A web log line inside a wrapper; other lines leave the event as it is."""
    web_access.fill(event, line)


def audit_line(event: Event, line: str) -> None:
    """An audit record inside a wrapper; other lines leave the event as it is."""
    auditd.fill(event, line)


def _caddy(event: Event, obj: dict[str, Any], request: dict[str, Any]) -> None:
    ecs.put(event, "@timestamp", clock.epoch(obj.get("ts")))
    ecs.put_ip(event, "source", request.get("client_ip") or request.get("remote_ip"))
    ecs.put_port(event, "source.port", request.get("remote_port"))
    ecs.put(event, "http.request.method", request.get("method"))
    if isinstance(request.get("uri"), str):
        web_access.put_url(event, request["uri"])
    host = request.get("host")
    if isinstance(host, str):
        event["url.domain"] = host.rsplit(":", 1)[0]
    headers = request.get("headers")
    agents = headers.get("User-Agent") if isinstance(headers, dict) else None
    if isinstance(agents, list) and agents:
        event["user_agent.original"] = str(agents[0])
    ecs.put(event, "user.name", obj.get("user_id"))
    ecs.put(event, "http.response.bytes", ecs.as_int(obj.get("size")))


def _nginx(event: Event, obj: dict[str, Any]) -> None:
    stamp = str(obj.get("time_iso8601") or obj.get("time_local") or obj.get("@timestamp") or obj.get("time") or "")
    ecs.put(event, "@timestamp", parse_timestamp(stamp) or clock.clf(stamp))
    ecs.put_ip(event, "source", obj.get("remote_addr"))
    ecs.put(event, "user.name", obj.get("remote_user"))
    if isinstance(obj.get("request"), str):
        web_access.put_request(event, obj["request"])
    elif isinstance(obj.get("request_uri"), str):
        web_access.put_url(event, obj["request_uri"])
        ecs.put(event, "http.request.method", obj.get("request_method"))
    ecs.put(event, "url.domain", obj.get("host") or obj.get("http_host"))
    ecs.put(event, "user_agent.original", obj.get("http_user_agent"))
    ecs.put(event, "http.request.referrer", obj.get("http_referer"))
    ecs.put(event, "http.response.bytes", ecs.as_int(obj.get("body_bytes_sent")))
