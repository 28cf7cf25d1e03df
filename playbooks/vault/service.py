"""Secrets by the names that playbooks give them: set, replaced, removed, and handed to actions for the moment that they need them.

Nothing gives a secret back to a person: lists show names, the audit trail says that one was set, not what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crypto.errors import SecretError
from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import StoreError
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.secrets.models import PlaybookSecret, playbook_secret_context
from playbooks.actions.contract import ActionError, Destination, Secrets
from playbooks.vault.hosts import all_normal, covers

MOST = 1_000
MAX_VALUE = 65_536
"""Letters: a private key with its chain has some thousand."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}", re.ASCII)


class SecretRecord(msgspec.Struct, frozen=True):
    """A secret as people see it: that there is one, which hosts it may be sent to, since when, and by whom."""

    name: str
    hosts: tuple[str, ...]
    updated_at: str
    updated_by: str


def set_secret(
    session: Session, actor: Actor, key: MasterKey, name: str, value: str, hosts: Sequence[str] | None = None
) -> SecretRecord:
    """Keep ``value`` under ``name``; one that was there is replaced, and runs use the new one from their next command on.

    value  a password, a token, or a private key as PEM
    hosts  where it may be sent (vault.hosts): no other server that a playbook names gets it. None: as before, for
           a new one nowhere. They cannot be changed without the value: else whoever may set secrets could have an old one
           sent to a server of theirs

    Raises Invalid (``name``, ``value``, ``hosts``); Conflict: there are too many; SecretError: the master key cannot be
    followed. Whoever calls has asked for rights.SECRETS.
    """
    if not _NAME.fullmatch(name):
        raise Invalid("the name of a secret has letters, digits and . _ : / @ -, at most 128", "for example firewall", field="name")
    if not value.strip():
        raise Invalid("the secret is empty", field="value")
    if len(value) > MAX_VALUE or "\0" in value or not _is_text(value):
        raise Invalid(f"a secret is text of at most {MAX_VALUE:,} letters", field="value")
    wanted = None if hosts is None else _hosts(hosts)
    row = session.get(PlaybookSecret, name, with_for_update=True, populate_existing=True)
    is_new = row is None
    if row is None:
        if session.execute(select(func.count()).select_from(PlaybookSecret)).scalar_one() >= MOST:
            raise Conflict(f"there are {MOST:,} secrets already", "remove one that no playbook names")
        row = PlaybookSecret(name=name, hosts="[]")
        session.add(row)
    row.sealed = key.seal(value.encode(), playbook_secret_context(name))
    if wanted is not None:
        row.hosts = msgspec.json.encode(wanted).decode()
    row.updated_at, row.updated_by = clock.now(), actor.name[:160]
    record = SecretRecord(name, _kept(row.hosts), row.updated_at, row.updated_by)
    audit.append(session, actor, "playbook.secret_set", "playbook_secret", name, detail={"new": is_new, "hosts": record.hosts})
    session.flush()
    return record


def remove_secret(session: Session, actor: Actor, name: str) -> None:
    """Forget a secret; a step that names it fails from now on. Raises NotFound."""
    row = session.get(PlaybookSecret, name, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no secret {name[:128]!r}")
    session.delete(row)
    audit.append(session, actor, "playbook.secret_remove", "playbook_secret", name)
    session.flush()


def names(session: Session) -> list[SecretRecord]:
    """All of them, by name; never what they are."""
    model = PlaybookSecret
    query = select(model.name, model.hosts, model.updated_at, model.updated_by).order_by(model.name)
    return [SecretRecord(name, _kept(hosts), at, by) for name, hosts, at, by in session.execute(query)]


def secrets(database: Database, key: MasterKey) -> Secrets:
    """What actions take secrets from: opened anew each time, so that a replaced or rotated one is in use at once."""

    def secret_of(identifier: str, places: Sequence[Destination] | None) -> str:
        query = select(PlaybookSecret.sealed, PlaybookSecret.hosts).where(PlaybookSecret.name == identifier)
        try:
            with database.read() as session:
                row = session.execute(query).one_or_none()
        except StoreError as error:
            raise ActionError(str(error), code="STATE_UNAVAILABLE", again=True) from error
        if row is None:
            hint = "set it: ./liandun playbook secret set NAME --host HOST"
            raise ActionError(f"there is no secret {identifier[:128]!r}", hint, code="SECRET_MISSING")
        sealed, hosts = row
        if places is not None:
            _check_places(identifier, _kept(hosts), places)
        try:
            return key.unseal(sealed, playbook_secret_context(identifier)).decode()
        except SecretError as error:
            raise ActionError(f"the secret {identifier!r} does not open: {error}", code="SECRET_UNREADABLE") from error

    return secret_of


def _hosts(texts: Sequence[str]) -> tuple[str, ...]:
    try:
        return all_normal(texts)
    except ValueError as error:
        raise Invalid(str(error), "for example gw.example.cn, *.example.cn:8443 or [2001:db8::7]:443", field="hosts") from error


def _kept(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _check_places(identifier: str, hosts: Sequence[str], places: Sequence[Destination]) -> None:
    """Raises ActionError unless there are places, and each of them is among the hosts of a secret."""
    wrong = next((place for place in places if not covers(hosts, place)), None)
    if wrong is None and places:
        return
    told = str(wrong)[:200] if wrong else "no host at all"
    hint = "if the host is right, whoever keeps the secrets sets it anew with it: ./liandun playbook secret set NAME --host HOST"
    raise ActionError(f"the secret {identifier[:128]!r} is not for {told}", hint, code="SECRET_NOT_FOR_HOST")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
