"""People that a directory or a sign-in service knows: their account here, and the role their groups suggest.

The account belongs to the directory's own id of the person, not to the name, so that a name given anew there opens nothing here.
Nobody gets a role by being in a group: it is proposed, and a security administrator confirms it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts import proposals, service
from operations.accounts.models import User
from operations.accounts.permissions import BUSINESS
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid


class Person(msgspec.Struct, frozen=True):
    """Somebody as the directory (``origin`` ldap or oidc) describes them; ``subject`` is its id that never changes."""

    origin: str
    subject: str
    name: str
    display_name: str = ""
    groups: tuple[str, ...] = ()


def account_of(session: Session, person: Person, roles: Mapping[str, str], address: str) -> User:
    """The person's account, made at the first visit. Raises Conflict where the name belongs to another account, Invalid."""
    if not person.subject:
        raise Invalid("the directory gave no id of the person", "see accounts.ldap.subject", field="name")
    known = select(User).where(User.origin == person.origin, User.subject == person.subject).with_for_update()
    user = session.execute(known).scalar_one_or_none()
    if user is None:
        user = service.insert(session, Actor(person.origin, address), person.name, person.display_name)
        user.origin, user.subject = person.origin, person.subject
        session.flush()
    role = suggested(person.groups, roles)
    if role and user.active and user.removed_at is None:
        with suppress(Conflict):  # one is waiting already
            proposals.propose_by_directory(session, Actor(person.origin, address), user, role)
    return user


def suggested(groups: Iterable[str], roles: Mapping[str, str]) -> str:
    """The role of the first mapped group; "" for none. Groups are compared without regard to case. Powers are never suggested."""
    mapped = {group.casefold(): role for group, role in roles.items()}
    found = [mapped[group.casefold()] for group in groups if group.casefold() in mapped]
    return next((role for role in found if role in BUSINESS), "")
