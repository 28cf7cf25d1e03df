"""What is known of an alert, incident, asset or warning, by the names of the variables that playbooks ask for.

    facts_of(session, "alert", "7")   # {"__alert_id__": "7", "__zone__": "water-ot", "__ot__": "true", "__address__": …}

``__ot__`` is "false" only where every zone that is concerned is known and none of them holds controllers or field devices: nothing
must act by itself in a plant because nobody knew where it lies. ``__address__`` is the one outside of the city where the other lies
within it, else the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.zones.model import INTERNET
from operations.alerts.models import AlertEntity, AlertSample
from operations.alerts.reading import get_alert
from operations.alerts.schema import AlertRow
from operations.assets.control_systems import control_zones
from operations.assets.register import get as get_asset
from operations.errors import Invalid
from operations.incidents.reading import alerts_of, get_incident
from operations.warnings.reading import get as get_warning
from operations.zones.models import ZoneRow
from operations.zones.service import zone_table
from playbooks.check.needed import needed
from playbooks.model import Playbook
from playbooks.run.journal import playbook_of
from playbooks.shelf.known import called_bodies
from playbooks.shelf.schema import Field

KINDS: tuple[str, ...] = ("alert", "incident", "asset", "warning")
_ROLES = ("host.zone", "destination.zone", "source.zone")
"""Where a zone of an alert came from: that of the host that suffers says most."""
_CVE = re.compile(r"cve[.-](\d{4}[.-]\d{4,7})", re.IGNORECASE | re.ASCII)


def start_form(session: Session, playbook: Playbook, kind: str = "", number: str = "") -> list[Field]:
    """The values that a start of ``playbook`` asks for, filled in with what is known of the subject (``facts_of``).

    kind, number  what it is started for; "" = nothing. Raises NotFound, Invalid.
    """
    facts = facts_of(session, kind, number) if kind else {}
    must = needed_by(session, playbook)
    return [
        Field(name, one.type, facts.get(name, one.value if isinstance(one.value, str) else None), one.description, name in must)
        for name, one in playbook.playbook_variables.items()
        if one.external
    ]


def needed_by(session: Session, playbook: Playbook) -> frozenset[str]:
    """Variables that a start of ``playbook`` has to give values (playbooks.check.needed), beside what is in force on the shelf."""
    called = called_bodies(session, playbook, in_force=True)
    return needed(playbook, {key: playbook_of(body) for key, body in called.items()})


def facts_of(session: Session, kind: str, number: str) -> dict[str, str]:
    """Variable → value. ``number``: id of the alert, incident or warning, or key of the asset. Raises NotFound, Invalid."""
    if kind == "asset":
        return _of_asset(session, number)
    if kind not in KINDS:
        raise Invalid(f"there is no kind {kind[:32]!r}", f"one of {', '.join(KINDS)}", field="kind")
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise Invalid(f"{number[:32]!r} is no number of a thing", field="id")
    of_kind = {"alert": of_alert, "incident": _of_incident, "warning": _of_warning}[kind]
    return of_kind(session, int(number))


def of_alert(session: Session, alert_id: int) -> dict[str, str]:
    """What is known of an alert. Raises NotFound."""
    alert = get_alert(session, alert_id)
    entities = list(session.execute(select(AlertEntity).where(AlertEntity.alert_id == alert_id)).scalars())
    zones = _zones_of(entities)
    domain = next((one.value for one in entities if one.kind == "domain"), "")
    cve = next((found[1].replace(".", "-") for tag in alert.tags if (found := _CVE.fullmatch(tag))), "")
    facts = {
        "__alert_id__": str(alert.id),
        "__matter__": alert.rule_name,
        "__host__": alert.host or "",
        "__address__": _address(session, alert),
        "__account__": alert.user or "",
        "__domain__": domain,
        "__cve__": f"CVE-{cve}" if cve else "",
        **_place(session, zones),
    }
    return _known(facts)


def _of_incident(session: Session, incident_id: int) -> dict[str, str]:
    incident = get_incident(session, incident_id)
    alerts = alerts_of(session, incident_id, limit=1)
    facts = of_alert(session, alerts[0].id) if alerts else {}
    place = _place(session, [*incident.zones])
    if not place.get("__bureau__") and incident.organisations:
        place["__bureau__"] = incident.organisations[0]
    return _worst(facts, _known({"__incident_id__": str(incident.id), "__matter__": incident.title, **place}))


def _of_asset(session: Session, key: str) -> dict[str, str]:
    asset = get_asset(session, key)
    return _known(
        {
            "__host__": asset.names[0] if asset.names else asset.name or asset.key,
            "__address__": asset.addresses[0] if asset.addresses else "",
            **_place(session, [asset.zone] if asset.zone else []),
            **({"__bureau__": asset.bureau} if asset.bureau else {}),
        }
    )


def _of_warning(session: Session, warning_id: int) -> dict[str, str]:
    warning = get_warning(session, warning_id)
    facts = of_alert(session, warning.source_alert) if warning.source_alert else {}
    return _worst(facts, _known({"__matter__": warning.title, **_place(session, [*warning.zones])}))


def _worst(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    """Both together, the second one first; where one of them may be a plant, it may be one."""
    plant = "true" in (first.get("__ot__"), second.get("__ot__"))
    return first | second | ({"__ot__": "true"} if plant else {})


def _zones_of(entities: Iterable[AlertEntity]) -> list[str]:
    """Zones of an alert, the most telling first; those that stand for "outside" and "not known" too."""
    named = [one for one in entities if one.kind == "zone"]
    ordered = sorted(named, key=lambda one: (_ROLES.index(one.role) if one.role in _ROLES else len(_ROLES), one.value))
    return [one.value for one in ordered]


def _place(session: Session, zones: list[str]) -> dict[str, str]:
    """Zone, its owner, and whether it has to be taken for a plant."""
    rows = {row.id: row for row in session.execute(select(ZoneRow).where(ZoneRow.id.in_(zones))).scalars()} if zones else {}
    first = next((rows[zone] for zone in zones if zone in rows), None)
    unknown = not rows or any(zone not in rows and zone != INTERNET for zone in zones)
    plant = unknown or not control_zones(session).isdisjoint(rows)
    return {
        "__zone__": first.id if first else "",
        "__bureau__": first.owner if first else "",
        "__ot__": "true" if plant else "false",
    }


def _address(session: Session, alert: AlertRow) -> str:
    """The end of the connection that lies outside of the city, where one does; else the source."""
    ends = [(alert.source_ip, "source.zone"), (alert.destination_ip, "destination.zone")]
    known = [(address, role) for address, role in ends if address]
    if len(known) < 2:
        return known[0][0] if known else ""
    zones = _zones_of_ends(session, alert.id, known)
    outside = [address for address, zone in zones if zone == INTERNET]
    return outside[0] if len(outside) == 1 else known[0][0]


def _zones_of_ends(session: Session, alert_id: int, ends: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Address and zone: as the event was told when it came in, else as the plan says now."""
    sample = session.execute(select(AlertSample.event).where(AlertSample.alert_id == alert_id)).scalar_one_or_none()
    event = orjson.loads(sample) if sample else {}
    if all(isinstance(event.get(role), str) for _, role in ends):
        return [(address, event[role]) for address, role in ends]
    table = zone_table(session)
    return [(address, table.zone_of(address)) for address, _ in ends]


def _known(facts: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value}
