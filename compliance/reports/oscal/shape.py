"""What all OSCAL documents share: UUIDs, ids of controls, properties, metadata, and texts as OSCAL allows them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from compliance.reports.material import Material
from operations.documents.model import printable

VERSION = "1.2.1"
NAMESPACE = "urn:liandun:mlps"
"""Of our own properties. It names; nothing is found there."""
_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_ROLES: Mapping[str, str] = {
    "leader": "system-owner",
    "security": "information-system-security-officer",
    "system": "system-administrator",
    "network": "network-administrator",
    "application": "application-administrator",
    "contact": "point-of-contact",
}
Json = dict[str, Any]


def identify(*parts: object) -> str:
    """A UUID of version 5 of these parts."""
    return str(uuid.uuid5(_ROOT, "\x1f".join(map(str, parts))))


def control_id(item: str) -> str:
    """A clause id as a token of OSCAL, which begins with a letter."""
    return f"mlps3-{item}"


def statement_id(item: str) -> str:
    """The id of what the control says."""
    return f"{control_id(item)}_smt"


def line(text: str) -> str:
    """One line that is not empty; "—" where there is nothing."""
    return " ".join(printable(text).split()) or "—"


def prose(text: str) -> str:
    """Text of several lines that is not empty."""
    return printable(text).strip() or "—"


def props(**values: object) -> list[Json]:
    """Our own properties; those that are empty are left out, as OSCAL has no empty value."""
    told = ((name.replace("_", "-"), line(str(value))) for name, value in values.items() if value not in ("", None))
    return [{"name": name, "ns": NAMESPACE, "value": value} for name, value in told]


def plus(told: Json, **more: Sequence[Any] | None) -> Json:
    """With these lists, where they hold something: OSCAL has no empty ones. ``_`` in a name stands for "-"."""
    return told | {name.replace("_", "-"): list(value) for name, value in more.items() if value}


def metadata(title: str, material: Material) -> Json:
    """With the organisation and the people of the system as parties."""
    system = material.system
    told: Json = {
        "title": line(title),
        "last-modified": material.changed_at,
        "version": str(system.version),
        "oscal-version": VERSION,
    }
    parties, responsible, roles = [], dict[str, list[str]](), []
    if system.organisation:
        owner = identify("party", material.key, system.organisation)
        parties.append({"uuid": owner, "type": "organization", "name": line(system.organisation)})
    for one in system.people:
        person = identify("party", material.key, one.duty, one.name)
        party: Json = {"uuid": person, "type": "person", "name": line(one.name)}
        parties.append(plus(party, props=props(contact=one.contact)))
        responsible.setdefault(_ROLES[one.duty], []).append(person)
    roles = [{"id": role, "title": role.replace("-", " ").capitalize()} for role in responsible]
    made = [{"role-id": role, "party-uuids": sorted(set(people))} for role, people in responsible.items()]
    return plus(told, roles=roles, parties=_once(parties), responsible_parties=made)


def _once(parties: Sequence[Json]) -> list[Json]:
    return list({one["uuid"]: one for one in parties}.values())
