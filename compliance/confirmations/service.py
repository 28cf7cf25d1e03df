"""The rules: what can be confirmed, by whom, with which source. Each change is audited."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy.orm import Session

from compliance.catalogue.confirmed import Confirmed, key_of_case, patched
from compliance.catalogue.load import as_shipped
from compliance.catalogue.model import CryptoUnit, HighRiskCase, Item
from compliance.confirmations.in_force import bring_into_use, confirmed
from compliance.confirmations.models import ConfirmationRow
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Denied, Invalid, NotFound, Stale
from operations.written import choice, text

NEEDS = "compliance.decide"
KINDS: tuple[str, ...] = ("item", "unit", "case")
MAX_SOURCE, MAX_VALUE = 1_000, 8_000
_Record = Item | CryptoUnit | HighRiskCase


class Doubt(msgspec.Struct, frozen=True):
    """A field that ships without having been compared with the printed text.

    kind     item (GB/T 22239), unit (GB/T 39786), case (high-risk guide of 2020)
    shipped  the value as it ships, ``value`` the one in use; JSON
    source   what was read, by whom and when; "" = nobody has confirmed it yet. ``version``: 0 then
    """

    kind: str
    record: str
    zh: str
    en: str
    field: str
    shipped: str
    value: str
    source: str = ""
    by: str = ""
    at: str = ""
    version: int = 0


class DoubtFilter(msgspec.Struct, frozen=True):
    """``state``: open, confirmed or "" for both; ``text``: in the clause or the words."""

    kind: str = ""
    state: str = ""
    text: str = ""


def doubts(session: Session, where: DoubtFilter = DoubtFilter()) -> list[Doubt]:
    """Fields that shipped as to be confirmed, in the order of the catalogue."""
    rows = {(row.record, row.field): row for row in session.query(ConfirmationRow)}
    found = []
    for kind, key, record in _records():
        for field in record.to_be_confirmed:
            row = rows.get((key, field))
            one = _doubt(kind, key, record, field, row)
            if _fits(one, where):
                found.append(one)
    return found


def confirm(
    session: Session, who: Principal, record: str, field: str, source: str, *, value: str = "", expected_version: int | None = None
) -> Doubt:
    """Say that a field is right (``value`` "") or what it has to be (JSON), and where that was read.

    Raises Denied, NotFound, Invalid, Stale.
    """
    _need(who)
    kind, shipped = _doubtful(record, field)
    read = text(source, "source", MAX_SOURCE, needed=True)
    written = _checked(shipped, record, field, text(value, "value", MAX_VALUE))
    row = session.get(ConfirmationRow, (record, field), with_for_update=True)
    _check(row, expected_version)
    before = row.value if row else None
    if row is None:
        row = ConfirmationRow(record=record, field=field, version=0)
        session.add(row)
    row.value, row.source = written, read
    row.confirmed_by, row.confirmed_at, row.version = who.name, clock.now(), row.version + 1
    session.flush()
    detail = {"field": field, "value": written, "before": before, "source": read}
    audit.append(session, who.actor, "catalogue.confirm", "catalogue", record, detail=detail)
    bring_into_use(session)
    return _doubt(kind, record, shipped, field, row)


def withdraw(session: Session, who: Principal, record: str, field: str, *, expected_version: int | None = None) -> None:
    """It is to be confirmed again. Raises Denied, NotFound, Stale."""
    _need(who)
    _doubtful(record, field)
    row = session.get(ConfirmationRow, (record, field), with_for_update=True)
    if row is None:
        raise NotFound(f"{record}: nobody has confirmed {field}")
    _check(row, expected_version)
    detail = {"field": field, "value": row.value, "source": row.source}
    session.delete(row)
    session.flush()
    audit.append(session, who.actor, "catalogue.withdraw", "catalogue", record, detail=detail)
    bring_into_use(session)


def of_record(session: Session, record: str) -> list[Confirmed]:
    """What was confirmed of one record."""
    return [one for one in confirmed(session) if one.record == record]


def _need(who: Principal) -> None:
    if not who.may(NEEDS):
        raise Denied("you may not confirm requirements", "somebody who decides in compliance may")


def _check(row: ConfirmationRow | None, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != (row.version if row else 0):
        raise Stale("this was changed by somebody else", "read it again and decide once more")


def _records() -> Iterator[tuple[str, str, _Record]]:
    requirements, crypto, guides = as_shipped()
    yield from (("item", placed.item.id, placed.item) for placed in requirements.placed())
    yield from (("unit", unit.id, unit) for _, unit in crypto.units())
    yield from (("case", key_of_case(guide.year, case.id), case) for guide in guides for case in guide.cases)


def _doubtful(key: str, field: str) -> tuple[str, _Record]:
    for kind, found, record in _records():
        if found == key:
            choice(field, "field", record.to_be_confirmed)
            return kind, record
    raise NotFound(f"there is no record {key[:32]!r} in the catalogue")


def _checked(record: _Record, key: str, field: str, value: str) -> str:
    """The value as it is kept: JSON that the field can have, "" where it is the one that ships."""
    if not value:
        return ""
    try:
        told = msgspec.json.decode(value)
        found = _with(record, [Confirmed(key, field, value, "", "", "")])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Invalid(f"{field}: {str(error)[:200]}", f"JSON as in {_json(record, field)[:200]}", field="value") from error
    except UnicodeError as error:
        raise Invalid(f"{field}: half a letter", field="value") from error
    return "" if getattr(found, field) == getattr(record, field) else msgspec.json.encode(told).decode()


def _with(record: _Record, entries: list[Confirmed]) -> _Record:
    match record:
        case Item():
            return patched(record, entries)
        case CryptoUnit():
            return patched(record, entries)
        case HighRiskCase():
            return patched(record, entries)


def _doubt(kind: str, key: str, record: _Record, field: str, row: ConfirmationRow | None) -> Doubt:
    shipped = _json(record, field)
    if row is None:
        return Doubt(kind, key, record.zh, record.en, field, shipped, shipped)
    return Doubt(
        kind, key, record.zh, record.en, field, shipped, row.value or shipped, row.source, row.confirmed_by, row.confirmed_at,
        row.version,
    )  # fmt: skip


def _json(record: _Record, field: str) -> str:
    return msgspec.json.encode(getattr(record, field)).decode()


def _fits(one: Doubt, where: DoubtFilter) -> bool:
    if where.kind and one.kind != where.kind:
        return False
    if where.state and (where.state == "confirmed") != bool(one.version):
        return False
    words = where.text.lower().split()
    told = f"{one.record} {one.zh} {one.en} {one.field}".lower()
    return all(word in told for word in words)
