"""Audit logs of products whose JSON is known by its marks → ECS; originals under the product's own name.

Sources: Atlassian "Audit log events in Bitbucket Data Center", Cisco Duo Admin API "Authentication Logs", OneLogin "Events",
OpenCanary "Log format".
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from kernel.event import Event


class _Product(msgspec.Struct, frozen=True):
    dataset: str
    marks: tuple[str, ...]
    action: str
    user: tuple[str, ...]
    address: tuple[str, ...]
    stamp: tuple[str, ...]
    category: str


_PRODUCTS: Final = (
    _Product(
        "bitbucket.audit",
        ("auditType.category", "auditType.action"),
        "auditType.action",
        ("author.name",),
        ("source",),
        ("timestamp", "timestamp.epochSecond"),
        "configuration",
    ),
    _Product(
        "cisco.duo",
        ("event_type", "txid"),
        "event_type",
        ("user.name", "username"),
        ("access_device.ip", "ip"),
        ("isotimestamp", "timestamp"),
        "authentication",
    ),
    _Product(
        "onelogin.events",
        ("event_type_id", "account_id"),
        "event_type_id",
        ("actor_user_name", "user_name"),
        ("ipaddr",),
        ("created_at", "event_timestamp"),
        "iam",
    ),
    _Product(
        "opencanary.event",
        ("logtype", "node_id"),
        "logtype",
        ("logdata.USERNAME",),
        ("src_host",),
        ("utc_time", "local_time"),
        "intrusion_detection",
    ),
)


def fits(obj: dict[str, Any]) -> bool:
    """True if the object has the marks of one of the products."""
    return _product(obj) is not None


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event; none if no product's marks are there."""
    product = _product(obj)
    if product is None:
        return []
    module = product.dataset.partition(".")[0]
    event: Event = {
        "event.kind": "alert" if module == "opencanary" else "event",
        "event.dataset": product.dataset,
        "event.module": module,
        "event.category": [product.category],
        "event.type": ["info"],
        "event.original": original,
    }
    flat: Event = {}
    ecs.flatten(obj, "", flat)
    for name, value in flat.items():
        event[f"{product.dataset}.{name}"] = value
    ecs.put(event, "event.action", str(flat[product.action]))
    ecs.put(event, "user.name", _first(flat, product.user))
    ecs.put_ip(event, "source", _first(flat, product.address))
    ecs.put_port(event, "destination.port", flat.get("dst_port"))
    stamps = (flat.get(name) for name in product.stamp)
    found = (clock.local(one) if isinstance(one, str) else clock.epoch(one) for one in stamps if one is not None)
    ecs.put(event, "@timestamp", next((one for one in found if one), None))
    ecs.network_type(event)
    return [ecs.relate(event)]


def _product(obj: dict[str, Any]) -> _Product | None:
    return next((product for product in _PRODUCTS if all(_has(obj, mark) for mark in product.marks)), None)


def _has(obj: dict[str, Any], mark: str) -> bool:
    head, _, rest = mark.partition(".")
    inner = obj.get(head)
    return isinstance(inner, dict) and rest in inner if rest else isinstance(inner, (str, int))


def _first(flat: Event, names: tuple[str, ...]) -> str | None:
    return next((str(flat[name]) for name in names if isinstance(flat.get(name), str) and flat[name]), None)
