"""An account: made by the system administrator, its role granted by the security administrator (ADR 0008).

Issuing makes nothing by itself: it is refused until the account is there, active and has a role, and then says so.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts.models import User
from operations.accounts.permissions import SCOPED_ONLY
from operations.accounts.schema import Principal
from operations.errors import Conflict
from operations.organisations import reaches
from operations.services.issue.means import Means
from operations.services.models import Application
from operations.services.schema import Grant


def subject(form: dict[str, Any]) -> str:
    """In one line."""
    return f"{form['login']} ({form['person']})"[:200]


def issue(session: Session, _who: Principal, application: Application, form: dict[str, Any], _means: Means) -> Grant:
    """Raises Conflict while the account is not ready."""
    user = session.scalar(select(User).where(User.name_key == form["login"].casefold(), User.removed_at.is_(None)))
    if user is None or not user.active or user.role not in SCOPED_ONLY:
        raise Conflict(
            "there is no active account of that name with a bureau's role",
            "the system administrator makes it, the security administrator grants its role; then issue again",
        )
    if not reaches(session, user, application.bureau, frozenset()):
        raise Conflict(f"the account's scope is not {application.bureau}", "the security administrator sets it")
    return Grant("account", user.name, {"account": user.name, "role": user.role}, user.expires_at)
