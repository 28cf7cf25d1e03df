"""What people do to an incident itself: change, acknowledge, decide class and level, go through the phases, pause its clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy.orm import Session

from kernel.detection import LEVELS
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from operations.incidents import announce, grading, phases, places, tasks
from operations.incidents.catalogue import check_class
from operations.incidents.linking import regrade, touch
from operations.incidents.models import OPERATORS, Incident
from operations.incidents.people import check_assignee
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import UNSET, Change, Decision, IncidentRow
from operations.incidents.texts import LINE, LONG, TITLE, line, moment, text
from operations.incidents.timeline import tell
from operations.reach import sees, zones_seen


def change_incident(
    session: Session, actor: Actor, incident_id: int, change: Change, *, expected_version: int | None = None
) -> IncidentRow:
    """Change fields; what is not given stays. Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id, expected_version)
    wanted = _checked(session, incident, change)
    before, after = {}, {}
    for field, value in wanted.items():
        if getattr(incident, field) != value:
            before[field], after[field] = getattr(incident, field), value
            setattr(incident, field, value)
    _change_places(session, incident, change, before, after)
    if incident.occurred_at and incident.occurred_at > incident.detected_at:
        raise Invalid("an incident is not detected before it occurs", field="detected_at")
    if after:
        if after.get("assignee") and not incident.acknowledged_at:
            incident.acknowledged_at = clock.now()
        regrade(session, incident)
        touch(session, incident)
        shown = {name: value for name, value in after.items() if name != "description"}
        tell(session, actor, incident_id, "changed", {"fields": sorted(after), "after": shown})
        audit.append(session, actor, "incident.change", "incident", incident_id, detail={"before": before, "after": after})
    session.flush()
    return get_incident(session, incident_id)


def acknowledge(session: Session, actor: Actor, incident_id: int, name: str, *, expected_version: int | None = None) -> IncidentRow:
    """Take the incident: who acknowledges is its assignee where it has none. Raises NotFound, Conflict (done already)."""
    incident = held(session, incident_id, expected_version)
    if incident.acknowledged_at:
        raise Conflict(f"incident {incident_id} was acknowledged already")
    incident.acknowledged_at = clock.now()
    incident.assignee = incident.assignee or check_assignee(session, name)
    touch(session, incident)
    tell(session, actor, incident_id, "acknowledged", {"assignee": incident.assignee})
    audit.append(session, actor, "incident.acknowledge", "incident", incident_id)
    session.flush()
    return get_incident(session, incident_id)


def decide(
    session: Session, actor: Actor, incident_id: int, decision: Decision, *, expected_version: int | None = None
) -> IncidentRow:
    """Decide class and level. A level other than the factors give needs a reason. Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id, expected_version)
    computed = grading.level_of(decision.object, decision.loss, decision.harm)
    level = decision.level or computed
    reason = text(decision.reason, "reason", LINE)
    if level not in (1, 2, 3, 4):
        raise Invalid("a level is 1 to 4", field="level")
    if level != computed and not reason:
        raise Invalid(f"the factors give level {computed}", "say why it is another", field="reason")
    before = {"class_code": incident.class_code, "level": incident.level}
    incident.class_code, incident.level = check_class(decision.class_code), level
    factors = {"object": decision.object, "loss": decision.loss, "harm": decision.harm}
    incident.factors = orjson.dumps(factors).decode()
    incident.decided_at, incident.decided_by, incident.decided_reason = clock.now(), actor.name[:160], reason
    touch(session, incident)
    tasks.apply_template(session, actor, incident)
    after = {"class_code": incident.class_code, "level": level}
    tell(session, actor, incident_id, "decided", {"before": before, "after": after, "reason": reason})
    detail = {"before": before, "after": after, "factors": factors, "reason": reason}
    audit.append(session, actor, "incident.decide", "incident", incident_id, detail=detail)
    announce.tell_targets(session, announce.DECIDED, incident)
    session.flush()
    return get_incident(session, incident_id)


def move(
    session: Session, actor: Actor, incident_id: int, phase: str, *, reason: str = "", cause: str = "", may_close: bool = False,
    expected_version: int | None = None,
) -> IncidentRow:  # fmt: skip
    """Go to another phase; ``may_close``: the actor may decide (closing, opening again). Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id, expected_version, open_=False)
    why = text(reason, "reason", LINE)
    phases.check(incident.phase, phase, why, cause, drill=incident.drill)
    if "closed" in (phase, incident.phase) and not may_close:
        raise Invalid("closing and opening again is for those who may decide", field="phase")
    if incident.merged_into is not None:
        raise Conflict(f"incident {incident_id} was merged into another", "work there")
    if phase == "closed" and cause in ("resolved", "accepted") and not incident.level:
        raise Invalid("class and level are not decided", "decide them first", field="level")
    before = incident.phase
    _set_phase(incident, phase, cause)
    touch(session, incident)
    tell(session, actor, incident_id, "phase", {"before": before, "after": phase, "reason": why, "cause": incident.cause})
    detail = {"before": before, "after": phase, "reason": why, "cause": incident.cause}
    audit.append(session, actor, "incident.phase", "incident", incident_id, detail=detail)
    announce.tell_targets(session, announce.PHASE, incident, before=before, cause=incident.cause)
    session.flush()
    return get_incident(session, incident_id)


def pause(session: Session, actor: Actor, incident_id: int, reason: str, *, expected_version: int | None = None) -> IncidentRow:
    """Let the SLA clocks stand still, with a reason; statutory clocks go on. Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id, expected_version)
    found: list[list[str]] = orjson.loads(incident.pauses)
    if found and not found[-1][1]:
        raise Conflict(f"the clocks of incident {incident_id} stand still already")
    why = line(reason, "reason", TITLE, needed=True)
    return _pauses(session, actor, incident, [*found, [clock.now(), "", why]], "paused", why)


def resume(session: Session, actor: Actor, incident_id: int, *, expected_version: int | None = None) -> IncidentRow:
    """Let them run again. Raises NotFound, Conflict."""
    incident = held(session, incident_id, expected_version)
    found: list[list[str]] = orjson.loads(incident.pauses)
    if not found or found[-1][1]:
        raise Conflict(f"the clocks of incident {incident_id} run")
    return _pauses(session, actor, incident, [*found[:-1], [found[-1][0], clock.now(), found[-1][2]]], "resumed", "")


def choice(value: str, allowed: Sequence[str], field: str) -> str:
    """``value`` where it is one of them. Raises Invalid."""
    if value not in allowed:
        raise Invalid(f"there is no {field} {value[:32]!r}", f"one of {', '.join(allowed)}", field=field)
    return value


def _checked(session: Session, incident: Incident, change: Change) -> dict[str, Any]:
    given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
    checks: dict[str, Any] = {
        "title": lambda value: line(value, "title", TITLE, needed=True),
        "description": lambda value: text(value, "description", LONG),
        "reporter": lambda value: line(value, "reporter", TITLE),
        "severity": lambda value: choice(value, LEVELS, "severity"),
        "operator": lambda value: choice(value, OPERATORS, "operator"),
        "assignee": lambda value: value if value == incident.assignee else check_assignee(session, value),
        "occurred_at": lambda value: moment(value, "occurred_at", past=True),
        "detected_at": lambda value: moment(value, "detected_at", past=True) or incident.detected_at,
    }
    return {name: checks[name](value) for name, value in given.items() if name in checks}


def _change_places(session: Session, incident: Incident, change: Change, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Zones and organisations; zones that the actor may not see stay, whatever the form said."""
    zones, organisations = orjson.loads(incident.zones), orjson.loads(incident.organisations)
    new_zones, new_organisations = zones, organisations
    if not isinstance(change.zones, msgspec.UnsetType):
        unseen = [zone for zone in zones if not sees(session, zone)]
        new_zones = [*unseen, *places.check_zones(session, change.zones)]
    if not isinstance(change.organisations, msgspec.UnsetType):
        new_organisations = places.check_organisations(change.organisations)
    if (set(new_zones), set(new_organisations)) == (set(zones), set(organisations)):
        return
    if zones_seen(session) is not None and not any(sees(session, zone) for zone in new_zones):
        raise Invalid("name a zone that you may see", field="zones")
    places.set_places(session, incident, new_zones, new_organisations)
    before |= {"zones": zones, "organisations": organisations}
    after |= {"zones": new_zones, "organisations": new_organisations}


def _set_phase(incident: Incident, phase: str, cause: str) -> None:
    """The phase with the moments that the clocks and metrics go by; going back takes them away again."""
    order, now = phases.PHASES.index, clock.now()
    incident.phase, incident.cause = phase, cause if phase == "closed" else ""
    if order(phase) > order("detection"):
        incident.acknowledged_at = incident.acknowledged_at or now
    early = phase == "closed" and incident.cause in ("false_alarm", "exercise")
    contained, resolved = order(phase) > order("containment") and not early, order(phase) >= order("review") and not early
    incident.contained_at = (incident.contained_at or now) if contained else incident.contained_at if early else ""
    incident.resolved_at = (incident.resolved_at or now) if resolved else incident.resolved_at if early else ""
    incident.closed_at = now if phase == "closed" else ""
    pauses = orjson.loads(incident.pauses)
    if phase == "closed" and pauses and not pauses[-1][1]:
        incident.pauses = orjson.dumps([*pauses[:-1], [pauses[-1][0], now, pauses[-1][2]]]).decode()


def _pauses(session: Session, actor: Actor, incident: Incident, pauses: list[list[str]], act: str, reason: str) -> IncidentRow:
    if len(pauses) > 200:
        raise Invalid("at most 200 pauses", field="reason")
    incident.pauses = orjson.dumps(pauses).decode()
    touch(session, incident)
    tell(session, actor, incident.id, act, {"reason": reason})
    audit.append(session, actor, "incident.pause", "incident", incident.id, detail={"act": act, "reason": reason})
    session.flush()
    return get_incident(session, incident.id)
