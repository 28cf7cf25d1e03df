"""Chaitin SafeLine (长亭雷池) web application firewall, attack events as JSON by syslog → ECS; originals under ``safeline.<name>``.

Sources: SafeLine documentation, "Syslog event format" (community edition, names with ``req_``), and the enterprise edition's names
without it. Times are milliseconds, ``timestamp`` seconds.
"""

from __future__ import annotations

from typing import Any, Final

from collectors.parsers import clock, web_access
from collectors.parsers import fields as ecs
from kernel.event import Event

_RISKS: Final = {"none": 1, "low": 2, "medium": 3, "high": 4, "0": 1, "1": 2, "2": 3, "3": 4}
_DENIED: Final = frozenset({"deny", "block", "intercept", "1", "drop"})
_ALLOWED: Final = frozenset({"allow", "pass", "log", "dry_run", "0"})


def fits(obj: dict[str, Any]) -> bool:
    """True for an attack event."""
    return "event_id" in obj and "src_ip" in obj and ("req_rule_module" in obj or ("module" in obj and "attack_type" in obj))


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event."""
    event: Event = {
        "event.kind": "alert",
        "event.dataset": "safeline.waf",
        "event.module": "safeline",
        "event.category": ["intrusion_detection", "web"],
        "event.original": original,
        "observer.vendor": "Chaitin",
        "observer.product": "SafeLine",
        "observer.type": "waf",
    }
    ecs.put(event, "@timestamp", clock.epoch(obj.get("req_start_time") or obj.get("timestamp")))
    ecs.put_ip(event, "source", obj.get("src_ip"))
    ecs.put_port(event, "source.port", obj.get("src_port"))
    ecs.put_ip(event, "destination", obj.get("dest_ip") or obj.get("upstream_addr"))
    ecs.put_port(event, "destination.port", obj.get("dest_port"))
    ecs.put(event, "url.domain", obj.get("host"))
    target = obj.get("urlpath") or obj.get("url_path")
    if isinstance(target, str) and target:
        query = obj.get("query_string")
        web_access.put_url(event, f"{target}?{query}" if query else target)
    ecs.put(event, "http.request.method", obj.get("method"))
    ecs.put(event, "http.response.status_code", ecs.as_int(obj.get("status_code") or obj.get("resp_status_code")))
    ecs.put(event, "user_agent.original", obj.get("user_agent"))
    ecs.put(event, "rule.id", _text(obj, "rule_id"))
    ecs.put(event, "rule.name", _text(obj, "reason") or _text(obj, "attack_type"))
    ecs.put(event, "rule.category", _text(obj, "attack_type"))
    ecs.put(event, "event.severity", _RISKS.get(_text(obj, "risk_level").lower()))
    action = _text(obj, "action").lower()
    denied, allowed = action in _DENIED, action in _ALLOWED
    event["event.action"] = "deny" if denied else "permit" if allowed else action or "unknown"
    event["event.type"] = ["denied"] if denied else ["allowed"] if allowed else ["info"]
    ecs.flatten(obj, "safeline", event)
    ecs.network_type(event)
    return [ecs.relate(event)]


def _text(obj: dict[str, Any], name: str) -> str:
    """A field under its own name or with ``req_`` before it, as text; "" where there is none."""
    value = obj.get(name, obj.get(f"req_{name}"))
    return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()
