"""Which entities an event names, and which of them make two detections the same alert.

Main entities (the deduplication key, with the rule):
  correlation          the group-by values of the rule
  suricata, zone       source and destination address
  yara                 host and file (hash, else path)
  anything else        host, user and source address; without host and user also the destination address
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from typing import Any

from kernel.detection import Detection
from kernel.event import Event
from operations.alerts.schema import Entity

MAX_VALUE = 512

# Fields per kind, the most telling first; Windows originals stand in where a record was not mapped to ECS.
FIELDS: dict[str, tuple[str, ...]] = {
    "host": ("host.name", "host.hostname", "winlog.computer_name"),
    "user": (
        "user.name",
        "user.target.name",
        "source.user.name",
        "destination.user.name",
        "winlog.event_data.User",
        "winlog.event_data.TargetUserName",
        "winlog.event_data.SubjectUserName",
        "aws.cloudtrail.userIdentity.arn",
    ),
    "ip": ("source.ip", "destination.ip", "client.ip", "server.ip", "dns.resolved_ip", "winlog.event_data.IpAddress"),
    "process": (
        "process.executable",
        "process.name",
        "process.parent.executable",
        "process.parent.name",
        "winlog.event_data.Image",
    ),
    "file": ("file.path", "file.name", "winlog.event_data.TargetFilename", "dll.path"),
    "hash": ("file.hash.sha256", "file.hash.sha1", "file.hash.md5", "process.hash.sha256", "process.hash.md5", "hash.sha256"),
    "domain": ("dns.question.name", "url.domain", "destination.domain", "tls.client.server_name", "server.domain"),
    "asset": ("host.asset.id", "source.asset.id", "destination.asset.id"),
    "zone": ("host.zone", "source.zone", "destination.zone"),
}
_PAIRS = tuple((kind, field) for kind, fields in FIELDS.items() for field in fields)
_LOWERED = frozenset({"host", "user", "domain", "hash"})
_EMPTY = frozenset({"", "-", "n/a", "(null)", "null", "::", "0.0.0.0"})  # noqa: S104  # an address in data, not a bind


def entities_of(event: Event) -> list[Entity]:
    """All entities of an event, each (kind, value) once with the first field that named it."""
    found: dict[tuple[str, str], Entity] = {}
    for kind, field in _PAIRS:
        if field not in event:
            continue
        for value in _values(event[field]):
            normal = normalise(kind, value)
            if normal:
                found.setdefault((kind, normal), Entity(kind, normal, field))
    return list(found.values())


def entities_in(detection: Detection) -> list[Entity]:
    """Those of its event, and the indicator that was met."""
    met = detection.group.get("indicator", "") if detection.engine == "intel" else ""
    return entities_of(detection.event) + ([Entity("indicator", normalise("indicator", met))] if met else [])


def normalise(kind: str, value: str) -> str:
    """The form in which a value is stored and compared; "" where it says nothing."""
    value = value.strip()
    if value.lower() in _EMPTY:
        return ""
    if kind == "ip":
        try:
            address = ipaddress.ip_address(
                value.partition("%")[0]
            )  # the interface of fe80::1%eth0 means something on one host only
        except ValueError:
            return ""
        return str(getattr(address, "ipv4_mapped", None) or address)
    if kind in _LOWERED:
        value = value.lower()
    # A zero byte is legal in JSON but not in PostgreSQL text; lone surrogates are legal in neither.
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_VALUE]


def first_of(entities: Iterable[Entity], kind: str, role: str = "") -> str | None:
    """The first value of a kind (that came from the field ``role``, where given)."""
    return next((entity.value for entity in entities if entity.kind == kind and role in ("", entity.role)), None)


def dedup_key(detection: Detection, entities: list[Entity]) -> str:
    """32 hex digits from the rule and the main entities."""
    digest = hashlib.blake2b(detection.rule_id.encode("utf-8", "replace"), digest_size=16)
    for part in _main_entities(detection, entities):
        digest.update(b"\0" + part.encode("utf-8", "replace"))
    return digest.hexdigest()


def _main_entities(detection: Detection, entities: list[Entity]) -> list[str]:
    if detection.group:
        return [f"{field}={value.lower()}" for field, value in sorted(detection.group.items())]
    source = first_of(entities, "ip", "source.ip") or first_of(entities, "ip", "winlog.event_data.IpAddress") or ""
    destination = first_of(entities, "ip", "destination.ip") or ""
    host = first_of(entities, "host") or ""
    if detection.engine in ("suricata", "zone"):
        return [source, destination]
    if detection.engine == "yara":
        return [host, first_of(entities, "hash") or first_of(entities, "file") or ""]
    user = first_of(entities, "user") or ""
    return [host, user, source] if host or user else [source, destination]


def _values(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [str(member) for member in value[:16]]
    return [] if value is None else [str(value)]
