"""Setting passwords: the rule, the history, and what a new password ends.

Functions that hash take the Database and manage their own transactions, so that no lock is held meanwhile (a hash costs a quarter
of a CPU second).
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from crypto.password import hash_password, verify_password
from kernel.db import Database
from operations import clock
from operations.accounts import sessions
from operations.accounts.models import OldPassword, User
from operations.accounts.password_rule import password_problems
from operations.accounts.schema import Policy
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound


def check_password(password: str, name: str, display_name: str, policy: Policy) -> None:
    """Raises Invalid (``field`` "password") with every problem."""
    problems = password_problems(
        password,
        name,
        display_name,
        min_length=policy.min_length,
        max_length=policy.max_length,
        min_score=policy.min_score,
    )
    if problems:
        raise Invalid(
            f"the password does not fit the rule: {', '.join(problems)}",
            f"{policy.min_length} to {policy.max_length} characters, 3 of lower case, upper case, digits, others; not the name; "
            "nothing that is easily guessed",
            field="password",
        )


def change_password(
    database: Database, actor: Actor, user_id: int, old: str | None, new: str, *, policy: Policy = Policy(), keep: str = ""
) -> None:
    """Set a new password and end the sessions of the account.

    old   the present password; None where a one-use link stands for it. Raises Denied where it is wrong.
    keep  id of a session that goes on
    """
    with database.read() as session:
        user = _user(session, user_id)
        name, display_name, stored, origin = user.name, user.display_name, user.password_hash, user.origin
        used = [stored] * bool(stored) + _history(session, user_id, policy)
    if origin != "local":
        raise Denied("the password of this account is kept by the directory", "change it there")
    if old is not None and not verify_password(stored, old[: policy.max_length * 4]):
        with database.write() as session:
            audit.append(session, actor, "account.password", "account", name, result="failure")
        raise Denied("the present password is wrong")
    check_password(new, name, display_name, policy)
    if any(verify_password(one, new) for one in used):
        raise Invalid(
            "this password was used before", f"not the present one, and none of the last {policy.history}", field="password"
        )
    hashed = hash_password(new, policy.scheme)
    with database.write() as session:
        user = _user(session, user_id)
        if user.password_hash != stored:
            raise Conflict("the password was changed meanwhile")
        store_password(session, user, hashed, policy)
        sessions.end_all(session, user_id, keep=keep)
        audit.append(session, actor, "account.password", "account", name)


def store_password(session: Session, user: User, hashed: str, policy: Policy) -> None:
    """Put a hash in place; the one before goes into the history, of which only the last few stay."""
    if user.password_hash:
        session.add(OldPassword(user_id=user.id, password_hash=user.password_hash, replaced_at=clock.now()))
    user.password_hash, user.password_changed_at, user.must_change = hashed, clock.now(), False
    session.flush()
    kept = select(OldPassword.id).where(OldPassword.user_id == user.id).order_by(OldPassword.id.desc()).limit(policy.history)
    session.execute(delete(OldPassword).where(OldPassword.user_id == user.id, OldPassword.id.not_in(kept)))


def _history(session: Session, user_id: int, policy: Policy) -> list[str]:
    query = select(OldPassword.password_hash).where(OldPassword.user_id == user_id).order_by(OldPassword.id.desc())
    return list(session.execute(query.limit(max(0, policy.history - 1))).scalars())


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"there is no account {user_id}")
    return user
