"""Kubernetes API server audit event → ECS; originals under ``kubernetes.audit.<dotted>``.

Source: Kubernetes audit.k8s.io/v1 Event.
"""

from __future__ import annotations

from typing import Any

from collectors.parsers import fields as ecs
from kernel.event import Event, parse_timestamp

_TYPES = {"create": "creation", "delete": "deletion", "deletecollection": "deletion", "update": "change", "patch": "change"}


def fits(obj: dict[str, Any]) -> bool:
    """True for an audit event."""
    return obj.get("kind") == "Event" and str(obj.get("apiVersion", "")).startswith("audit.k8s.io/")


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event."""
    event: Event = {
        "event.kind": "event",
        "event.dataset": "kubernetes.audit",
        "event.module": "kubernetes",
        "event.original": original,
        "event.category": ["configuration"],
    }
    ecs.flatten(obj, "kubernetes.audit", event)
    stamp = obj.get("stageTimestamp") or obj.get("requestReceivedTimestamp")
    ecs.put(event, "@timestamp", parse_timestamp(str(stamp)))
    verb = str(obj.get("verb", ""))
    ecs.put(event, "event.action", verb)
    event["event.type"] = [_TYPES.get(verb, "access")]
    user, addresses, reference = obj.get("user"), obj.get("sourceIPs"), obj.get("objectRef")
    if isinstance(user, dict):
        ecs.put(event, "user.name", user.get("username"))
        ecs.put(event, "user.id", user.get("uid"))
    if isinstance(addresses, list) and addresses:
        ecs.put_ip(event, "source", addresses[0])
    ecs.put(event, "user_agent.original", obj.get("userAgent"))
    ecs.put(event, "url.original", obj.get("requestURI"))
    if isinstance(reference, dict):
        ecs.put(event, "orchestrator.resource.type", reference.get("resource"))
        ecs.put(event, "orchestrator.resource.name", reference.get("name"))
        ecs.put(event, "orchestrator.namespace", reference.get("namespace"))
    status = obj.get("responseStatus")
    code = status.get("code") if isinstance(status, dict) else None
    if isinstance(code, int):
        event["http.response.status_code"] = code
        event["event.outcome"] = "success" if code < 400 else "failure"
    ecs.network_type(event)
    return [ecs.relate(event)]
