"""One reader of the state database for all who watch: what was made and changed since a mark, in order.

New alerts are rows of ``alerts`` with a higher id; everything that a person or the platform does to an alert, incident, warning or
ticket is an entry of the audit trail. Both grow by number, so a mark is two numbers and nothing has to be kept for those who are
away. Works across processes and on both databases.

Numbers of alerts must become visible in their order. SQLite has one writer, and on PostgreSQL recordings wait for each other
(operations.alerts.record), audit entries as well. Should a writer of alerts ever not wait, the part of a mark that is about alerts
still lies below everything younger than SETTLE_SECONDS, and what was told already is remembered: whoever comes back with an old
mark may be told twice, but misses nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from kernel.db import Database
from operations.accounts.schema import Principal
from operations.alerts.listing import within
from operations.alerts.models import Alert
from operations.audit.models import AuditEntry
from operations.errors import NotFound
from operations.incidents.reading import get_incident
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.tickets.service import get_ticket
from operations.warnings.reading import get as get_warning

KINDS: Mapping[str, str] = {
    "alert": "alerts.read",
    "incident": "incidents.read",
    "warning": "warnings.read",
    "ticket": "tickets.read",
}
"""What is watched → the permission that it needs."""

MOST = 500
SETTLE_SECONDS = 5.0
_MARK = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Mark(msgspec.Struct, frozen=True):
    """Up to where somebody was told: alerts by id, acts by the number of their audit entry."""

    alert: int = 0
    entry: int = 0

    def __str__(self) -> str:
        return f"{self.alert}-{self.entry}"

    def beyond(self, other: Mark) -> bool:
        """True where one of the numbers is higher: a mark beyond the newest was made over another database."""
        return self.alert > other.alert or self.entry > other.entry


class Change(msgspec.Struct, frozen=True):
    """One thing that happened.

    id     of the object, 0 where an act was about many
    act    ``alert.new``, or the audit trail's name of the act, e.g. ``alert.change``
    level  of a new alert, else ""
    status of a new alert, else "": a suppressed one is told, too, and says so
    """

    kind: str
    id: int
    act: str
    level: str = ""
    status: str = ""


def parse_mark(text: str) -> Mark | None:
    """A mark as ``str(mark)`` wrote it; None for anything else."""
    found = _MARK.fullmatch(text)
    return Mark(int(found[1]), int(found[2])) if found else None


class Feed:
    """Reads on from where it is; one thread uses it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settle = 0.0 if database.dialect == "sqlite" else SETTLE_SECONDS  # SQLite has one writer: ids appear in order
        self._told: dict[int, float] = {}  # alert → when; those above the mark
        self._mark = Mark()
        self.restart()

    @property
    def mark(self) -> Mark:
        """Everything up to here was told."""
        return self._mark

    def restart(self) -> None:
        """Go on from the present: for a reader that nobody listened to for a while."""
        with self._database.read() as session:
            self._mark = Mark(
                session.execute(select(func.max(Alert.id))).scalar_one() or 0,
                session.execute(select(func.max(AuditEntry.id))).scalar_one() or 0,
            )
        self._told.clear()

    def poll(self) -> list[Change]:
        """What came since the last time, oldest first; at most MOST of each kind, the rest next time. Raises StateUnavailable."""
        with self._database.read() as session:
            alerts = session.execute(_new_alerts(self._mark.alert, MOST + len(self._told))).all()
            entries = session.execute(_acts(self._mark.entry)).all()
        present = time.monotonic()
        changes = [_new(row) for row in alerts if row.id not in self._told]
        for row in alerts:
            self._told.setdefault(row.id, present)
        changes += [_act(row) for row in entries]
        self._mark = Mark(self._settled(present), entries[-1].id if entries else self._mark.entry)
        return changes

    def _settled(self, present: float) -> int:
        """Forget what nobody can overtake any more, and give the highest such id."""
        low = self._mark.alert
        for alert in sorted(self._told):
            if present - self._told[alert] < self._settle:
                break
            low = alert
            del self._told[alert]
        return low


def missed(session: Session, mark: Mark) -> list[Change] | None:
    """What happened after ``mark``, for somebody who comes back; None where it is too much to be told one by one."""
    alerts = session.execute(_new_alerts(mark.alert, MOST + 1)).all()
    entries = session.execute(_acts(mark.entry, MOST + 1)).all()
    if max(len(alerts), len(entries)) > MOST:
        return None
    return [*(_new(row) for row in alerts), *(_act(row) for row in entries)]


def limited(database: Database, who: Principal) -> Database:
    """The database as ``who`` sees it."""
    return database if who.zones is None else database.carrying({SESSION_KEY: who.zones, ORGANISATIONS_KEY: who.organisations})


def visible(session: Session, changes: Sequence[Change], *, scoped: bool) -> list[Change]:
    """Those of ``changes`` whose objects this session may see. Acts on many objects name none: only the unscoped see them."""
    if not scoped:
        return list(changes)
    alerts = _seen_alerts(session, {one.id for one in changes if one.kind == "alert" and one.id})
    known: dict[tuple[str, int], bool] = {("alert", one): True for one in alerts}
    for one in changes:
        if one.kind != "alert" and one.id and (one.kind, one.id) not in known:
            known[one.kind, one.id] = _there(session, one.kind, one.id)
    return [one for one in changes if known.get((one.kind, one.id), False)]


def _seen_alerts(session: Session, ids: Iterable[int]) -> set[int]:
    query = select(Alert.id).where(Alert.id.in_(sorted(ids)), *within(session))
    return set(session.execute(query).scalars())


def _there(session: Session, kind: str, number: int) -> bool:
    reader = {"incident": get_incident, "warning": get_warning, "ticket": get_ticket}[kind]
    try:
        reader(session, number)
    except NotFound:
        return False
    return True


def _new_alerts(after: int, limit: int) -> Select[int, str, str]:
    return select(Alert.id, Alert.level, Alert.status).where(Alert.id > after).order_by(Alert.id).limit(limit)


def _acts(after: int, limit: int = MOST) -> Select[int, str, str, str]:
    columns = (AuditEntry.id, AuditEntry.action, AuditEntry.object_type, AuditEntry.object_id)
    watched = (AuditEntry.object_type.in_(tuple(KINDS)), AuditEntry.result == "success")
    return select(*columns).where(AuditEntry.id > after, *watched).order_by(AuditEntry.id).limit(limit)


def _new(row: object) -> Change:
    return Change("alert", row.id, "alert.new", row.level, row.status)  # type: ignore[attr-defined]


def _act(row: object) -> Change:
    kind, number, action = row.object_type, row.object_id, row.action  # type: ignore[attr-defined]
    return Change(kind, int(number) if number.isdecimal() and len(number) <= 18 else 0, action)
