"""Second factors: enrolling, proving, removing. WebAuthn and certificates have files of their own; this is what they share.

A one-time password is accepted once: its time step must be later than the last one accepted, which is compared and stored in one
statement, so that of two requests with the same code one is refused. Secrets are sealed under the master key, bound to the account.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.accounts import challenges, lockout, recovery, sessions, totp
from operations.accounts.models import Factor, LoginSession, User
from operations.accounts.schema import FactorRecord, Policy, Principal
from operations.accounts.sessions import Asking
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, Locked, NotFound

MOST = 10
ISSUER = "Liandun"
now: Callable[[], float] = time.time

Check = Callable[[Session], str | None]
"""Looks at an answer; the kind of factor that it proves, or None where it is wrong."""


def begin_totp(session: Session, who: Principal, key: MasterKey, policy: Policy = Policy()) -> tuple[str, str]:
    """A secret to set up: as text and as ``otpauth://`` address. The same one until it is confirmed or ten minutes have passed."""
    sealed = challenges.peek(session, who.session, "totp")
    if sealed is None:
        sealed = key.seal(f"{policy.totp}:{totp.new_secret(policy.totp).hex()}".encode(), totp_context(who.user_id))
        challenges.put(session, who.session, "totp", sealed)
    digest, secret = _open(key, sealed, who.user_id)
    return totp.text_of(secret), totp.address_of(secret, who.name, ISSUER, digest)


def finish_totp(session: Session, who: Principal, key: MasterKey, code: str, name: str = "") -> None:
    """Enrol the secret of :func:`begin_totp` with a code that it makes. Raises Invalid for a wrong one, Denied without a secret."""
    sealed = challenges.peek(session, who.session, "totp")
    if sealed is None:
        raise Denied("this set-up has expired", "load the page again")
    digest, secret = _open(key, sealed, who.user_id)
    step = totp.matching_step(secret, _digits(code), now(), digest)
    if step is None:
        raise Invalid("the code is wrong", "check the clock of the device, and type the code it shows now", field="code")
    if challenges.take(session, who.session, "totp") is None:
        raise Conflict("this factor was added already", "load the page again")
    add(session, who, Factor(kind="totp", name=name, material=sealed, credential=digest, counter=step))


def add(session: Session, who: Principal, factor: Factor) -> Factor:
    """Store a factor that has just been proven. Raises Conflict for too many."""
    if session.execute(select(func.count()).where(Factor.user_id == who.user_id).select_from(Factor)).scalar_one() >= MOST:
        raise Conflict(f"an account has at most {MOST} second factors", "remove one first")
    factor.user_id, factor.created_at, factor.used_at = who.user_id, clock.now(), None
    factor.name = factor.name.strip()[:64]
    session.add(factor)
    session.flush()
    audit.append(session, who.actor, "factor.add", "account", who.name, detail={"kind": factor.kind, "name": factor.name})
    return factor


def enrolled(session: Session, who: Principal, kind: str, asking: Asking, policy: Policy) -> tuple[str, list[str]]:
    """After a factor was added: the session's new token, and the recovery codes where this was the first factor."""
    codes = [] if recovery.left(session, who.user_id) else recovery.renew(session, who.user_id)
    return sessions.renew(session, who.session, who.user_id, asking, factor=kind, policy=policy), codes


def prove(
    database: Database, who: Principal, check: Check, asking: Asking, *, policy: Policy = Policy(), log_in: bool = False
) -> str | None:
    """Look at an answer to the second factor, with the lockout of passwords. Returns the session's new token at log-in, else None.

    Raises Locked, or Denied where it is wrong. ``log_in`` True at the second step of logging in.
    """
    key = lockout.account_key(who.name)
    with database.write() as session:
        left = lockout.count_attempt(session, key, who.address, policy)
        if left:
            detail = {"reason": "locked"}
            audit.append(session, who.actor, "session.factor", "account", who.name, result="denied", detail=detail)
    if left:
        raise Locked(left)
    with database.write() as session:
        kind = check(session)
        if kind is None:
            audit.append(session, who.actor, "session.factor", "account", who.name, result="failure")
            left = lockout.seconds_left(session, key, who.address)
        else:
            lockout.take_back(session, key, who.address)
            audit.append(session, who.actor, "session.factor", "account", who.name, detail={"kind": kind})
            if not log_in:
                sessions.prove(session, who, kind if kind != "password" else "")
                return None
            if session.get(LoginSession, who.session) is None:
                raise Denied("this session has ended", "log in again")
            session.execute(update(User).where(User.id == who.user_id).values(last_login_at=clock.now()))
            return sessions.renew(session, who.session, who.user_id, asking, factor=kind, policy=policy)
    if left:
        raise Locked(left)
    raise Denied("the code is wrong or was used already", "wait for the next code, or use a recovery code")


def check_code(who: Principal, key: MasterKey | None, code: str) -> Check:
    """A one-time password of any of the account's devices, or a recovery code."""

    def check(session: Session) -> str | None:
        query = select(Factor).where(Factor.user_id == who.user_id, Factor.kind == "totp")
        typed = _digits(code)
        for factor in session.execute(query).scalars() if key is not None and len(typed) == totp.DIGITS else ():
            digest, secret = _open(key, factor.material, who.user_id) if key is not None else ("sha1", b"")
            step = totp.matching_step(secret, typed, now(), digest)
            if step is not None and _advance(session, factor, step):
                return "totp"
        return "recovery" if recovery.use(session, who.user_id, code) else None

    return check


def list_factors(session: Session, user_id: int) -> list[FactorRecord]:
    """The account's factors, oldest first."""
    query = select(Factor).where(Factor.user_id == user_id).order_by(Factor.id)
    return [
        FactorRecord(row.id, row.kind, row.name, row.credential if row.kind != "webauthn" else "", row.created_at, row.used_at)
        for row in session.execute(query).scalars()
    ]


def remove(session: Session, who: Principal, factor_id: int, *, policy: Policy = Policy()) -> None:
    """Remove one of one's own factors. Raises NotFound, or Denied for the last one where one is needed."""
    factor = session.get(Factor, factor_id)
    if factor is None or factor.user_id != who.user_id:
        raise NotFound(f"there is no second factor {factor_id}")
    number = session.execute(select(func.count()).where(Factor.user_id == who.user_id).select_from(Factor)).scalar_one()
    if number == 1 and policy.needs_factor(who.role):
        raise Denied("this is the only second factor, and one is needed", "add another one first")
    session.execute(delete(Factor).where(Factor.id == factor_id))
    audit.append(session, who.actor, "factor.remove", "account", who.name, detail={"kind": factor.kind, "name": factor.name})


def renew_codes(session: Session, who: Principal) -> list[str]:
    """Ten new recovery codes; the old ones are worthless."""
    audit.append(session, who.actor, "factor.codes", "account", who.name)
    return recovery.renew(session, who.user_id)


def kinds(session: Session, user_id: int) -> set[str]:
    """Kinds of factors that the account has."""
    return set(session.execute(select(Factor.kind).where(Factor.user_id == user_id)).scalars())


def _advance(session: Session, factor: Factor, step: int) -> bool:
    later = update(Factor).where(Factor.id == factor.id, Factor.counter < step)
    return bool(session.connection().execute(later.values(counter=step, used_at=clock.now())).rowcount)


def totp_context(user_id: int) -> str:
    """What a sealed one-time-password secret is bound to: it does not open for another account."""
    return f"totp:{user_id}"


def _open(key: MasterKey, sealed: str, user_id: int) -> tuple[str, bytes]:
    digest, _, secret = key.unseal(sealed, totp_context(user_id)).decode().partition(":")
    return digest, bytes.fromhex(secret)


def _digits(code: str) -> str:
    typed = "".join(code.split())
    return typed if typed.isascii() and typed.isdigit() else ""
