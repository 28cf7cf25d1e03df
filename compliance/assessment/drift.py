"""A control that was met and is not any more raises an alert, and a ticket to whoever is responsible for the system.

One alert for a control of a system gathers what drifts there; a ticket is made where no open one names the control already.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from compliance.assessment.places import places
from compliance.assessment.schema import Drift
from kernel.detection import Detection, MatchedField, detection_id
from operations import clock
from operations.accounts.schema import Principal
from operations.alerts.service import record_detections
from operations.assets import listing as assets
from operations.audit.schema import SYSTEM
from operations.tickets import service as tickets
from operations.tickets.models import Ticket, TicketLink
from operations.tickets.schema import Draft, Link

RULE = "liandun-compliance-drift"
ENGINE = "platform"
DAYS_TO_MEND = {"critical": 7, "high": 14, "medium": 30}
"""Until when a ticket is due: by the level of its alert. Customary; the ticket's date can be changed."""
_BY_ITSELF = Principal(0, SYSTEM.name, "", "")


def report(session: Session, drifts: Sequence[Drift]) -> None:
    """Alerts and tickets in the caller's transaction."""
    zones = {key: one.zone for key, one in assets.of_keys(session, sorted({one.asset for one in drifts if one.asset})).items()}
    record_detections(session, [detection(one, zones.get(one.asset) or one.zone) for one in drifts])
    by_control: dict[tuple[int, str], list[Drift]] = {}
    for one in drifts:
        by_control.setdefault((one.system_id, one.item), []).append(one)
    for (system_id, item), found in by_control.items():
        if not _has_ticket(session, control(system_id, item)):
            tickets.create(session, _BY_ITSELF, _ticket(found))


def control(system_id: int, item: str) -> str:
    """How a ticket names a control of a system."""
    return f"{system_id}:{item}"


def level_of(item: str) -> str:
    """Critical where failing may be a 重大风险隐患, high where it may be a high risk, else medium."""
    place = places()[item]
    if place.placed is not None and place.placed.item.major_hazard_2025:
        return "critical"
    if (place.placed is not None and place.placed.item.high_risk_2025) or (place.unit is not None and place.unit.high_risk):
        return "high"
    return "medium"


def detection(one: Drift, zone: str) -> Detection:
    """As the alerts take it; a repeated report of the same drift is the same detection."""
    event = detection_id("compliance", [str(one.system_id), one.item, str(one.object_id), one.at])
    where = one.object or "the whole system"
    message = f"{one.system}: {one.item} is {one.after} on {where}, it was {one.before}" + (f": {one.reason}" if one.reason else "")
    return Detection(
        id=detection_id(RULE, [event]),
        rule_id=RULE,
        rule_name="Control of MLPS is not met any more",
        level=level_of(one.item),
        engine=ENGINE,
        time=one.at,
        event_ids=[event],
        event={
            "@timestamp": one.at,
            "event.id": event,
            "event.kind": "alert",
            "event.category": ["configuration"],
            "event.dataset": "liandun.compliance",
            "message": message[:2000],
            **({"host.zone": zone} if zone else {}),
            **({"host.asset.id": one.asset} if one.asset else {}),
        },
        matched=[MatchedField("verdict", one.after, f"was {one.before}", one.item)],
        description=message[:2000],
        group={"system": str(one.system_id), "control": one.item},
    )


def _has_ticket(session: Session, value: str) -> bool:
    linked = exists().where(
        TicketLink.kind == "control", TicketLink.value == value, TicketLink.ticket_id == Ticket.id, Ticket.state != "done"
    )
    return bool(session.execute(select(linked)).scalar_one())


def _ticket(drifts: Sequence[Drift]) -> Draft:
    first = drifts[0]
    zh, en = places()[first.item].names
    level = level_of(first.item)
    lines = [f"{zh}（{en}）", ""]
    lines += [f"- {one.object or first.system}: {one.before} → {one.after} {one.reason}".rstrip() for one in drifts[:50]]
    if len(drifts) > 50:
        lines.append(f"… {len(drifts)}")
    return Draft(
        "remediation", f"{first.system} {first.item} {zh}"[:200], "\n".join(lines)[:20_000], level, first.organisation,
        due_at=clock.shift(clock.now(), DAYS_TO_MEND[level] * 86_400),
        zones=(first.zone,) if first.zone else (), links=(Link("control", control(first.system_id, first.item)),),
    )  # fmt: skip
