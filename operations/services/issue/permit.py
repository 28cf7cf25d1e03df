"""A cross-zone permit is a conduit of the zone plan with an end.

What is dangerous needs a second person: every service or a wide range of ports, services that administer machines, a way from or
to the Internet, and a way into a zone of the highest importance or of the perception layer (controllers, cameras). GB/T 22239-2019
8.1.3.2 asks that boundaries let through no more than is needed; which cases need two people is the platform's own rule.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from kernel.zones.plan import INTERNET, Conduit, ZonePlan
from kernel.zones.services import MANAGEMENT, PortRange, port_ranges
from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Invalid, NotFound
from operations.services.issue.means import Means
from operations.services.models import Application
from operations.services.periods import ends, renewed
from operations.services.schema import Grant
from operations.zones import service as zones
from operations.zones.intake import refuse_mistakes
from operations.zones.rows import bounds

DANGERS: tuple[str, ...] = ("any", "management", "wide", "internet", "important", "field")
WIDE = 100
"""Ports of one service from which on it is a range rather than a service."""

_ADMINISTERING = tuple(one for name in sorted(MANAGEMENT | {"smb", "msrpc"}) for one in port_ranges(name))


def subject(form: dict[str, Any]) -> str:
    """In one line."""
    return f"{form['source']} → {form['target']}: {' '.join(form['services'])}"[:200]


def check(session: Session, form: dict[str, Any]) -> None:
    """Raises Invalid for what the plan would refuse: told to the applicant at once, not to whoever issues it later."""
    if form["source"] == form["target"]:
        raise Invalid("within a zone no permit is needed", field="target")
    plan = bounds(session)
    refuse_mistakes(ZonePlan(plan.zones, (_conduit(0, form, "", ""),)), ("conduit",))


def dangers(session: Session, form: dict[str, Any]) -> list[str]:
    """Which of DANGERS it has."""
    ranges = [one for service in form["services"] for one in port_ranges(service)]
    every = any(not one.transport for one in ranges)
    target = bounds(session).zone(form["target"])
    found = {
        "any": every,
        "management": not every and any(_overlap(one, other) for one in ranges for other in _ADMINISTERING if other.transport),
        "wide": not every and any(one.last - one.first >= WIDE and one.transport in ("tcp", "udp", "sctp") for one in ranges),
        "internet": INTERNET in (form["source"], form["target"]),
        "important": target is not None and target.importance >= 5,
        "field": target is not None and target.layer == "perception",
    }
    return [name for name in DANGERS if found[name]]


def issue(session: Session, who: Principal, application: Application, form: dict[str, Any], _means: Means) -> Grant:
    """Make the conduit, or prolong that of the application which this one renews."""
    now = clock.now()
    made = _conduit(application.id, form, now, who.name)
    until, version = ends(now, form["days"]), None
    before = session.get(Application, application.renews) if application.renews is not None else None
    if before is not None and before.grant_kind == "conduit":
        try:
            record = zones.get_conduit(session, before.grant_id)
        except NotFound:
            pass  # somebody deleted it: this is a new one
        else:
            version, until = record.version, renewed(now, record.conduit.until or None, form["days"])
            made = msgspec.structs.replace(record.conduit, approver=made.approver)  # as it stands: somebody may have narrowed it
    zones.save_conduit(session, who.actor, msgspec.structs.replace(made, until=until), expected_version=version)
    return Grant("conduit", made.id, {"conduit": made.id, "until": until}, until)


def revoke(session: Session, who: Principal, application: Application) -> None:
    """Take the conduit away; what it permitted is denied from then on."""
    with suppress(NotFound):  # it is gone already
        zones.delete_conduit(session, who.actor, application.grant_id)


def _conduit(number: int, form: dict[str, Any], since: str, approver: str) -> Conduit:
    return Conduit(
        id=f"permit-{number}",
        sources=(form["source"],),
        targets=(form["target"],),
        services=tuple(form["services"]),
        reason=f"#{number} {form['reason']}"[:2000],
        since=since,
        approver=approver[:128],
    )


def _overlap(one: PortRange, other: PortRange) -> bool:
    return one.transport == other.transport and one.first <= other.last and other.first <= one.last
