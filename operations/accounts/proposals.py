"""What needs two persons: a role or scope, and the reset of somebody's password or second factors.

The rules, each held here and nowhere else (ADR 0008):
- a security administrator proposes roles and scopes, a system administrator proposes resets;
- another administrator (security or system) confirms; not who proposed it, and never the account concerned;
- who proposed must still be allowed to when it takes effect, and the account must not have changed meanwhile;
- an account of one power never becomes one of another power;
- the last active account of a power keeps its role.
"""

from __future__ import annotations

import json

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts import keys, reach, service, sessions
from operations.accounts.models import Factor, OldPassword, Proposal, RecoveryCode, User
from operations.accounts.permissions import EXPIRING, PERMISSIONS, POWERS, SCOPED_ONLY
from operations.accounts.schema import DAY, Policy, Principal, ProposalRecord, Reach
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

KINDS: dict[str, str] = {"role": "accounts.grant", "password": "accounts.manage", "factors": "accounts.manage"}
"""Kind → the permission of who may propose it."""

STATES: tuple[str, ...] = ("open", "confirmed", "refused", "withdrawn", "lapsed")
MAX_DAYS = 366
MAX_REASON = 512


def propose_role(
    session: Session,
    who: Principal,
    user_id: int,
    role: str,
    *,
    scope: Reach = Reach(),
    days: int = 0,
    reason: str = "",
) -> ProposalRecord:
    """Propose a role and scope for somebody else's account. Nothing changes yet.

    role  "" takes the role away
    days  for roles that end (permissions.EXPIRING): after how many; 0 else

    Raises Denied, Invalid, Conflict.
    """
    _may_propose(session, who, "role", user_id)
    user = service.other(session, who, user_id)
    if role:
        service.check_role(role)
    scope = reach.check(session, scope)
    _check_fit(user, role, scope, days)
    if not role or role != user.role:
        _refuse_power_changes(session, user, role)
    before = (user.role, reach.reach_of(user))
    if before == (role, scope) and role not in EXPIRING:
        raise Invalid("this account has that role and scope already", field="role")
    expires_at = clock.shift(clock.now(), days * DAY) if days else None
    return _open(session, who.actor, who.user_id, user, "role", role, scope, expires_at, reason)


def propose_reset(session: Session, who: Principal, user_id: int, kind: str, *, reason: str = "") -> ProposalRecord:
    """Propose to let somebody set a new password (``password``), or to remove their second factors (``factors``)."""
    if kind not in ("password", "factors"):
        raise Invalid(f"there is no reset {kind[:64]!r}", "password or factors", field="kind")
    _may_propose(session, who, kind, user_id)
    user = service.other(session, who, user_id)
    if kind == "password" and user.origin != "local":
        raise Invalid("the password of this account is kept by the directory", "reset it there", field="kind")
    return _open(session, who.actor, who.user_id, user, kind, user.role, reach.reach_of(user), user.expires_at, reason)


def propose_by_directory(session: Session, actor: Actor, user: User, role: str) -> ProposalRecord | None:
    """What a directory's groups say somebody should be; None where that is so already or proposed. A person still decides."""
    known = select(Proposal.role).where(Proposal.user_id == user.id, Proposal.kind == "role").order_by(Proposal.id.desc()).limit(1)
    if user.role == role or session.execute(known).scalar_one_or_none() == role or role not in PERMISSIONS:
        return None
    if user.role in POWERS:
        return None  # who administers is never decided by a directory
    return _open(session, actor, None, user, "role", role, reach.reach_of(user), None, "group of the directory")


def confirm(session: Session, who: Principal, proposal_id: int, *, policy: Policy = Policy()) -> ProposalRecord:
    """Let a proposal take effect. Raises Denied, Conflict, NotFound."""
    row, user = _decide_on(session, who, proposal_id, policy)
    if row.proposer_id == who.user_id:
        raise Denied("a second person has to confirm this", "ask another security or system administrator")
    if row.proposer_id is None and not who.may("accounts.grant"):
        raise Denied("a proposal of the directory is confirmed by a security administrator")
    if row.proposer_id is not None and not _proposer_stands(session, row):
        raise Conflict("who proposed this may not do so any more", "refuse it and propose anew")
    if user.version != row.version:
        raise Conflict(f"the account {user.name} was changed since this was proposed", "refuse it and propose anew")
    _close(session, row, "confirmed", who)
    {"role": _give_role, "password": _forget_password, "factors": _remove_factors}[row.kind](session, row, user)
    user.version += 1
    sessions.end_all(session, user.id)  # what somebody may do has changed: they log in anew
    _tell(session, who, row, user, "account.confirm")
    return _record(row, user.name)


def refuse(session: Session, who: Principal, proposal_id: int, *, policy: Policy = Policy()) -> ProposalRecord:
    """Refuse somebody's proposal, or withdraw one's own."""
    row, user = _decide_on(session, who, proposal_id, policy)
    _close(session, row, "withdrawn" if row.proposer_id == who.user_id else "refused", who)
    _tell(session, who, row, user, "account.refuse")
    return _record(row, user.name)


def list_proposals(session: Session, *, state: str = "open", user_id: int | None = None, limit: int = 200) -> list[ProposalRecord]:
    """Newest first; ``state`` "" = all."""
    query = select(Proposal, User.name).join(User, User.id == Proposal.user_id).order_by(Proposal.id.desc()).limit(limit)
    if state:
        query = query.where(Proposal.state == state)
    if user_id is not None:
        query = query.where(Proposal.user_id == user_id)
    return [_record(row, name) for row, name in session.execute(query)]


def get_proposal(session: Session, proposal_id: int) -> ProposalRecord:
    """One proposal. Raises NotFound."""
    row = session.get(Proposal, proposal_id)
    user = session.get(User, row.user_id) if row is not None else None
    if row is None or user is None:
        raise NotFound(f"there is no proposal {proposal_id}")
    return _record(row, user.name)


def lapse(session: Session, *, policy: Policy = Policy()) -> int:
    """Close proposals that nobody decided on in time; for the scheduler."""
    old = clock.shift(clock.now(), -policy.proposal_time)
    stale = update(Proposal).where(Proposal.state == "open", Proposal.proposed_at <= old)
    return int(session.connection().execute(stale.values(state="lapsed", decided_at=clock.now())).rowcount)


def _may_propose(session: Session, who: Principal, kind: str, user_id: int) -> None:
    if not who.may(KINDS[kind]):
        raise Denied(f"this needs the permission {KINDS[kind]}")
    if user_id == who.user_id:
        raise Denied("nobody grants themselves anything", "ask another administrator")
    session.execute(select(User.id).where(User.id.in_((who.user_id, user_id))).with_for_update())


def _check_fit(user: User, role: str, scope: Reach, days: int) -> None:
    if role in SCOPED_ONLY and not scope:
        raise Invalid(f"the role {role} needs organisations or zones", field="organisations")
    if scope and (not role or role in POWERS):
        raise Invalid("administrators have no organisations or zones: they see no events", field="organisations")
    if role in EXPIRING and not 1 <= days <= MAX_DAYS:
        raise Invalid(f"the role {role} is given for 1 to {MAX_DAYS} days", field="days")
    if days and role not in EXPIRING:
        raise Invalid(f"the role {role or 'none'} does not end by itself", field="days")
    if user.role in POWERS and role in POWERS and user.role != role:
        raise Conflict(
            "an account of one power never becomes one of another", "make a new account, so that the audit trail stays clear"
        )


def _refuse_power_changes(session: Session, user: User, role: str) -> None:
    if role != user.role and service.last_of_power(session, user):
        raise Conflict("this is the last active account of its power", "let another one be given this role first")


def _open(
    session: Session,
    actor: Actor,
    proposer_id: int | None,
    user: User,
    kind: str,
    role: str,
    scope: Reach,
    expires_at: str | None,
    reason: str,
) -> ProposalRecord:
    if len(reason) > MAX_REASON:
        raise Invalid(f"a reason has at most {MAX_REASON} characters", field="reason")
    waiting = select(Proposal.id).where(Proposal.user_id == user.id, Proposal.kind == kind, Proposal.state == "open")
    if session.execute(waiting).first():
        raise Conflict(f"a proposal for {user.name} is waiting already", "decide on that one first")
    row = Proposal(
        user_id=user.id,
        kind=kind,
        role=role,
        before=user.role,
        organisations=json.dumps(scope.organisations, ensure_ascii=False),
        zones=json.dumps(scope.zones),
        expires_at=expires_at,
        reason=reason.strip(),
        version=user.version,
        state="open",
        proposer_id=proposer_id,
        proposed_by=actor.name[:160],
        proposed_at=clock.now(),
    )
    session.add(row)
    session.flush()
    audit.append(session, actor, "account.propose", "account", user.name, detail=_detail(row))
    return _record(row, user.name)


def _decide_on(session: Session, who: Principal, proposal_id: int, policy: Policy) -> tuple[Proposal, User]:
    """The open proposal and its account, both locked. Raises Denied, NotFound, Conflict."""
    if not who.may("accounts.confirm"):
        raise Denied("this needs the permission accounts.confirm")
    row = session.get(Proposal, proposal_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no proposal {proposal_id}")
    user = session.get_one(User, row.user_id, with_for_update=True, populate_existing=True)
    if user.id == who.user_id:
        raise Denied("nobody decides about their own account", "ask another administrator")
    if row.state != "open" or clock.shift(row.proposed_at, policy.proposal_time) <= clock.now():
        raise Conflict("this proposal was decided on already, or waited too long", "load the list again")
    return row, user


def _proposer_stands(session: Session, row: Proposal) -> bool:
    proposer = session.get(User, row.proposer_id)
    return (
        proposer is not None
        and sessions.alive(proposer, clock.now())
        and KINDS[row.kind] in PERMISSIONS.get(proposer.role, frozenset())
    )


def _close(session: Session, row: Proposal, state: str, who: Principal) -> None:
    """Of two who decide at once only one does (PostgreSQL; in SQLite writers queue)."""
    values = {"state": state, "decided_by": who.name, "decided_at": clock.now()}
    mine = update(Proposal).where(Proposal.id == row.id, Proposal.state == "open").values(**values)
    if not session.connection().execute(mine).rowcount:
        raise Conflict("somebody else decided on this at the same time", "load the list again")
    session.refresh(row)


def _give_role(session: Session, row: Proposal, user: User) -> None:
    _refuse_power_changes(session, user, row.role)
    scope = reach.check(session, Reach(tuple(json.loads(row.organisations)), tuple(json.loads(row.zones))))
    if row.role != user.role:
        keys.keep_as_made(session, user.id, user.role)
    user.role, user.expires_at = row.role, row.expires_at
    user.organisations, user.zones = json.dumps(scope.organisations, ensure_ascii=False), json.dumps(scope.zones)


def _forget_password(session: Session, _row: Proposal, user: User) -> None:
    """From now on a system administrator can make a link with which the owner sets a new one (links.create_invitation)."""
    if user.password_hash:
        session.add(OldPassword(user_id=user.id, password_hash=user.password_hash, replaced_at=clock.now()))
    user.password_hash = ""


def _remove_factors(session: Session, _row: Proposal, user: User) -> None:
    for table in (Factor, RecoveryCode):
        session.execute(delete(table).where(table.user_id == user.id))


def _detail(row: Proposal) -> dict[str, object]:
    told: dict[str, object] = {"proposal": row.id, "kind": row.kind}
    if row.kind == "role":
        told |= {"before": {"role": row.before}, "after": {"role": row.role}}
        told |= {"organisations": json.loads(row.organisations), "zones": json.loads(row.zones), "expires_at": row.expires_at}
    return told | ({"reason": row.reason} if row.reason else {})


def _tell(session: Session, who: Principal, row: Proposal, user: User, action: str) -> None:
    detail = {**_detail(row), "proposed_by": row.proposed_by, "state": row.state}
    audit.append(session, who.actor, action, "account", user.name, detail=detail)


def _record(row: Proposal, name: str) -> ProposalRecord:
    return ProposalRecord(
        id=row.id,
        user_id=row.user_id,
        name=name,
        kind=row.kind,
        role=row.role,
        before=row.before,
        organisations=json.loads(row.organisations),
        zones=json.loads(row.zones),
        expires_at=row.expires_at,
        reason=row.reason,
        state=row.state,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
    )
