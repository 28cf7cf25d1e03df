"""Applications: apply, accept, issue (with a second person where it is dangerous), reject, withdraw, revoke, renew, expire.

    applied ──accept──▶ accepted ──issue──▶ issued ──(end)──▶ expired
       │                   │  └─dangerous─▶ to_confirm ──confirm (another person)──▶ issued
       └──reject/withdraw──┴──────────────────────┘        issued ──revoke──▶ revoked

Nobody handles what they applied for. A permit changes the zone plan, so one of those who issue it has to be somebody who may change
the plan (``zones.write``, the security administrator; ADR 0008). Every act is in the history and the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.zones.plan import INTERNET
from operations import clock
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import organisations_seen
from operations.reach import zones_seen
from operations.services import forms
from operations.services.catalogue import BY_ID, Service
from operations.services.issue import account, certificate, onboarding, permit, quota, scan
from operations.services.issue.means import ListenPoint, Means
from operations.services.listing import count_states, find, list_applications, row_of
from operations.services.models import Application, ApplicationHistory, ApplicationZone
from operations.services.periods import due
from operations.services.schema import ApplicationDetail, ApplicationRow, Step
from operations.services.terms import terms_of
from operations.webhooks.outbox import announce
from operations.written import text
from operations.zones.models import ZoneRow

__all__ = [
    "ListenPoint",
    "Means",
    "act",
    "apply",
    "count_states",
    "expire_due",
    "get_detail",
    "list_applications",
    "renew",
]

ACTS: tuple[str, ...] = ("accept", "issue", "confirm", "reject", "withdraw", "revoke")
MAX_NOTE = 2000
_ISSUERS: dict[str, ModuleType] = {
    "log-onboarding": onboarding,
    "cross-zone-permit": permit,
    "certificate": certificate,
    "account": account,
    "scan": scan,
    "quota": quota,
}
_FROM: dict[str, tuple[str, ...]] = {
    "accept": ("applied",),
    "issue": ("accepted",),
    "confirm": ("to_confirm",),
    "reject": ("applied", "accepted", "to_confirm"),
    "withdraw": ("applied", "accepted", "to_confirm"),
    "revoke": ("issued",),
}


def apply(session: Session, who: Principal, service_id: str, form: Mapping[str, Any], *, bureau: str = "") -> ApplicationRow:
    """A new application of the caller's organisation (``bureau`` says which, where the scope has several).

    Raises Denied, Invalid, Conflict (the service is closed).
    """
    return _file(session, who, _service(service_id), form, _bureau(session, bureau), None)


def renew(session: Session, who: Principal, application_id: int, reason: str, days: int) -> ApplicationRow:
    """Apply for the same again: once it is issued, the grant lasts ``days`` longer. Raises Conflict where nothing was issued."""
    old = find(session, application_id)
    service = _service(old.service)
    if old.state not in ("issued", "expired") or not any(field.name == "days" for field in service.fields):
        raise Conflict("only what was issued for a time can be renewed")
    if old.bureau not in (organisations_seen(session) or ()):
        raise Denied("it was granted to another organisation")
    waiting = select(Application.id).where(
        Application.renews == old.id, Application.state.in_(("applied", "accepted", "to_confirm"))
    )
    if session.execute(waiting).first() is not None:
        raise Conflict("its renewal has been applied for already")
    form = msgspec.json.decode(old.form) | {"reason": reason, "days": days}
    return _file(session, who, service, form, old.bureau, old.id)


def get_detail(session: Session, who: Principal, application_id: int) -> ApplicationDetail:
    """One application. Raises NotFound."""
    one = find(session, application_id)
    form = msgspec.json.decode(one.form)
    steps = select(ApplicationHistory).where(ApplicationHistory.application_id == one.id).order_by(ApplicationHistory.id.desc())
    zones = select(ApplicationZone.zone).where(ApplicationZone.application_id == one.id).order_by(ApplicationZone.zone)
    return ApplicationDetail(
        application=row_of(one),
        form=form | (certificate.details(form) if one.service == "certificate" else {}),
        granted=msgspec.json.decode(one.granted),
        reason=one.reason,
        accepted_by=one.accepted_by,
        issued_by=one.issued_by,
        confirmed_by=one.confirmed_by,
        zones=list(session.scalars(zones)),
        history=[Step(row.time, row.actor, row.act, row.note) for row in session.scalars(steps)],
        dangers=permit.dangers(session, form) if one.service == "cross-zone-permit" else [],
        acts=[name for name in ACTS if one.state in _FROM[name] and _refusal(session, who, one, name) is None],
    )


def act(
    session: Session,
    who: Principal,
    application_id: int,
    what: str,
    note: str = "",
    *,
    means: Means = Means(),
    expected_version: int | None = None,
) -> ApplicationRow:
    """Do one of ACTS. Raises NotFound, Denied, Invalid, Conflict."""
    one = find(session, application_id, for_update=True)
    if expected_version is not None and one.version != expected_version:
        raise Conflict(f"application {application_id} was changed by somebody else", "reload it and decide again")
    if what not in ACTS:
        raise Invalid(f"there is no act {what[:40]!r}", f"one of {', '.join(ACTS)}", field="act")
    if one.state not in _FROM[what]:
        raise Conflict(f"{what} is not possible: the application is {one.state}")
    refusal = _refusal(session, who, one, what)
    if refusal:
        raise Denied(refusal)
    written = text(note, "note", MAX_NOTE, needed=what in ("reject", "revoke"))
    before = one.state
    _CARRY_OUT[what](session, who, one, written, means)
    one.version += 1
    one.updated_at = clock.now()
    _note(session, who.actor, one, what if one.state != "to_confirm" else "propose", written)
    detail = {"service": one.service, "bureau": one.bureau, "before": before, "after": one.state, "grant": one.grant_id}
    audit.append(session, who.actor, f"service.{what}", "application", one.id, detail=detail)
    announce(session, f"service.{one.state}", _told(one))
    session.flush()
    return row_of(one)


def expire_due(session: Session, actor: Actor = SYSTEM) -> int:
    """Mark what has ended; returns how many. (The conduit or certificate ends by itself, to the second.)"""
    query = select(Application).where(Application.state == "issued", Application.expires_at <= clock.now()).limit(1000)
    found = list(session.execute(query.with_for_update()).scalars())
    for one in found:
        one.state, one.updated_at, one.version = "expired", clock.now(), one.version + 1
        _note(session, actor, one, "expire", "")
        audit.append(session, actor, "service.expire", "application", one.id, detail={"grant": one.grant_id})
        announce(session, "service.expired", _told(one))
    return len(found)


def _file(
    session: Session, who: Principal, service: Service, form: Mapping[str, Any], bureau: str, renews: int | None
) -> ApplicationRow:
    terms = terms_of(session, service.id)
    if not terms.open:
        raise Conflict("this service takes no applications now")
    zones = frozenset(session.scalars(select(ZoneRow.id)))
    own = zones_seen(session) or frozenset()
    checked = forms.check(service, form, zones | {INTERNET}, own)
    named = {checked[field.name] for field in service.fields if field.kind == "zone"} & zones
    if service.id == "cross-zone-permit":
        if not named & own:
            raise Invalid("one of the two zones has to be yours", field="source")
        permit.check(session, checked)
    module = _ISSUERS[service.id]
    present = clock.now()
    one = Application(
        service=service.id,
        bureau=bureau,
        applicant=who.name,
        subject=module.subject(checked),
        form=msgspec.json.encode(checked).decode(),
        state="applied",
        applied_at=present,
        accept_due=due(present, terms.accept_hours),
        renews=renews,
        updated_at=present,
    )
    session.add(one)
    session.flush()
    session.add_all(ApplicationZone(zone=zone, application_id=one.id) for zone in sorted(named))
    _note(session, who.actor, one, "renew" if renews else "apply", "")
    detail = {"service": service.id, "bureau": bureau, "renews": renews}
    audit.append(session, who.actor, "service.apply", "application", one.id, detail=detail)
    announce(session, "service.applied", _told(one))
    return row_of(one)


def _accept(session: Session, who: Principal, one: Application, note: str, _means: Means) -> None:
    present = clock.now()
    one.state, one.accepted_at, one.accepted_by = "accepted", present, who.name
    one.issue_due = due(present, terms_of(session, one.service).issue_hours)


def _issue(session: Session, who: Principal, one: Application, note: str, means: Means) -> None:
    one.issued_by = who.name
    if one.service == "cross-zone-permit" and permit.dangers(session, msgspec.json.decode(one.form)):
        one.state = "to_confirm"
        return
    _grant(session, who, one, means)


def _confirm(session: Session, who: Principal, one: Application, note: str, means: Means) -> None:
    one.confirmed_by = who.name
    _grant(session, who, one, means)


def _grant(session: Session, who: Principal, one: Application, means: Means) -> None:
    made = _ISSUERS[one.service].issue(session, who, one, msgspec.json.decode(one.form), means)
    one.state, one.issued_at, one.expires_at = "issued", clock.now(), made.expires_at
    one.grant_kind, one.grant_id, one.granted = made.kind, made.id, msgspec.json.encode(made.told).decode()
    old = session.get(Application, one.renews) if one.renews is not None else None
    if old is not None and old.state == "issued" and old.grant_id == one.grant_id:
        old.state, old.updated_at, old.version = "renewed", clock.now(), old.version + 1


def _reject(_session: Session, _who: Principal, one: Application, note: str, _means: Means) -> None:
    one.state, one.reason = "rejected", note


def _withdraw(_session: Session, _who: Principal, one: Application, note: str, _means: Means) -> None:
    one.state, one.reason = "withdrawn", note


def _revoke(session: Session, who: Principal, one: Application, note: str, _means: Means) -> None:
    module = _ISSUERS[one.service]
    if hasattr(module, "revoke"):
        module.revoke(session, who, one)
    one.state, one.reason, one.expires_at = "revoked", note, clock.now()


_CARRY_OUT: dict[str, Callable[[Session, Principal, Application, str, Means], None]] = {
    "accept": _accept,
    "issue": _issue,
    "confirm": _confirm,
    "reject": _reject,
    "withdraw": _withdraw,
    "revoke": _revoke,
}


def _refusal(session: Session, who: Principal, one: Application, what: str) -> str | None:
    """Why this person may not do it, None where they may."""
    ours = organisations_seen(session)
    applicants = ours is not None and one.bureau in ours and who.may("services.apply")
    if what == "withdraw" or (what == "revoke" and ours is not None):
        return None if applicants else "only the organisation that applied does this"
    if not who.may("services.handle"):
        return "this needs the permission services.handle"
    if who.name == one.applicant:
        return "nobody handles what they applied for"
    if one.service == "cross-zone-permit":
        dangerous = bool(permit.dangers(session, msgspec.json.decode(one.form)))
        if what == "issue" and not dangerous and not who.may("zones.write"):
            return "a permit changes the zone plan: the security administrator issues it"
        if what == "confirm" and not (who.may("zones.write") or _issuer_plans(session, one)):
            return "one of the two has to be the security administrator"
    if what == "confirm" and who.name == one.issued_by:
        return "a second person confirms it"
    return None


def _issuer_plans(session: Session, one: Application) -> bool:
    """May the person who issued it first change the zone plan (now, not only then)?"""
    user = session.scalar(select(User).where(User.name == one.issued_by, User.active, User.removed_at.is_(None)))
    return user is not None and "zones.write" in PERMISSIONS.get(user.role, frozenset())


def _service(service_id: str) -> Service:
    known = BY_ID.get(service_id)
    if known is None:
        raise Invalid(f"there is no service {service_id[:40]!r}", f"one of {', '.join(BY_ID)}", field="service")
    return known


def _bureau(session: Session, wanted: str = "") -> str:
    """The organisation that the caller applies for. Raises Denied for who stands for none, or for several and names none."""
    ours = organisations_seen(session)
    if wanted and ours is not None and wanted in ours:
        return wanted
    if wanted or ours is None or len(ours) != 1:
        raise Denied(
            "your scope does not stand for one organisation", "ask for the organisation as your scope, or name one of yours"
        )
    return next(iter(ours))


def _note(session: Session, actor: Actor, one: Application, what: str, note: str) -> None:
    session.add(ApplicationHistory(application_id=one.id, time=clock.now(), actor=actor.name[:160], act=what, note=note))


def _told(one: Application) -> dict[str, Any]:
    names = ("id", "service", "bureau", "subject", "state", "expires_at", "grant_kind", "grant_id")
    return {name: getattr(one, name) for name in names}
