"""Sealed values in the state database: which columns hold them, and what each value is bound to.

A room that seals something in a column of its own names the column here; a test looks through all tables for a forgotten one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select, text, true, update
from sqlalchemy.orm import Session

from crypto.errors import SecretError
from crypto.secret import MARK, MasterKey, generation_of, prefix_of
from kernel.db import Base, Database
from operations import clock
from operations.accounts.factors import totp_context
from operations.accounts.models import Challenge, Factor, LoginSession
from operations.certificates.models import AuthorityRow
from operations.certificates.service import authority_context
from operations.inbound.models import InboundSource
from operations.inbound.receiving import secret_context as inbound_context
from operations.incidents.evidence_key import evidence_context
from operations.incidents.models import EvidenceKey
from operations.secrets.models import PlaybookSecret, playbook_secret_context
from operations.secrets.schema import Found, Resealed, Stuck, Tell
from operations.webhooks.models import WebhookTarget
from operations.webhooks.service import secret_context

BATCH = 200
"""Values in one write transaction: some tens of milliseconds in which other writers wait."""


class Column(msgspec.Struct, frozen=True):
    """A column of sealed values.

    place    its name for people
    key      the model's primary key
    value    the column
    bound    column that the context is made of, by ``context``
    join     model and condition where ``bound`` stands in another table
    alive    which rows count; the others are never opened again
    """

    place: str
    model: type[Base]
    key: Any
    value: Any
    bound: Any
    context: Callable[[Any], str]
    join: tuple[Any, ColumnElement[bool]] | None = None
    alive: Callable[[], ColumnElement[bool]] = true

    def rows(self) -> Select[Any]:
        query: Select[Any] = select(self.key, self.value, self.bound).where(self.value.startswith(MARK), self.alive())
        return query.join(*self.join) if self.join else query


COLUMNS = (
    Column("second factors", Factor, Factor.id, Factor.material, Factor.user_id, totp_context),
    Column(
        "second factors being set up",
        Challenge,
        Challenge.id,
        Challenge.value,
        LoginSession.user_id,
        totp_context,
        (LoginSession, LoginSession.id == Challenge.holder),
        lambda: Challenge.expires_at > clock.now(),
    ),
    Column(
        "webhook signing secrets", WebhookTarget, WebhookTarget.id, WebhookTarget.sealed_secret, WebhookTarget.id, secret_context
    ),
    *(
        Column("signing secrets of inbound webhooks", InboundSource, InboundSource.id, value, InboundSource.id, inbound_context)
        for value in (InboundSource.sealed_secret, InboundSource.sealed_previous)
    ),
    Column(
        "keys of certificate authorities",
        AuthorityRow,
        AuthorityRow.name,
        AuthorityRow.sealed_key,
        AuthorityRow.name,
        authority_context,
    ),
    Column("keys for evidence", EvidenceKey, EvidenceKey.id, EvidenceKey.sealed, EvidenceKey.id, evidence_context),
    Column(
        "secrets of playbooks",
        PlaybookSecret,
        PlaybookSecret.name,
        PlaybookSecret.sealed,
        PlaybookSecret.name,
        playbook_secret_context,
    ),
)


def count(session: Session, column: Column) -> Found:
    """Sealed values of a column by generation."""
    found = Counter(generation_of(row[1]) for row in session.execute(column.rows()))
    return Found(column.place, dict(sorted(found.items())))


def hold_still(session: Session) -> None:
    """Until this write transaction ends, nobody else writes these tables. SQLite has one writer anyway."""
    if session.connection().dialect.name == "postgresql":
        names = sorted({column.model.__tablename__ for column in COLUMNS})
        session.execute(text(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE"))


def reseal(database: Database, key: MasterKey, column: Column, tell: Tell) -> Resealed:
    """Seal again what older generations have sealed, batch by batch, each in a short transaction of its own.

    A value that somebody changes in the meantime is left as it was changed: that was sealed by the active generation already.
    """
    outcome, after = Resealed(), None
    while True:
        with database.write() as session:
            query = column.rows().where(~column.value.startswith(prefix_of(key.generation))).order_by(column.key).limit(BATCH)
            rows = session.execute(query if after is None else query.where(column.key > after)).all()
            done = sum(_reseal_row(session, key, column, row, outcome) for row in rows)
        outcome.done += done
        if done:
            tell(column.place, done)
        if len(rows) < BATCH:
            return outcome
        after = rows[-1][0]


def _reseal_row(session: Session, key: MasterKey, column: Column, row: Any, outcome: Resealed) -> int:
    identity, sealed, bound = row
    try:
        fresh = key.reseal(sealed, column.context(bound))
    except SecretError as error:
        outcome.stuck.append(Stuck(f"{column.place}: {column.model.__tablename__} {identity}", str(error)))
        return 0
    change = update(column.model).where(column.key == identity, column.value == sealed)
    return int(session.connection().execute(change.values({column.value: fresh})).rowcount)
