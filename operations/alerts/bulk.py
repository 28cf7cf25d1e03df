"""Bulk acts on alerts: prepare (a list with the versions it was decided on), preview, start, read.

    draft ──start──► waiting ──► running ──► done
                        └───────────┴──────► interrupted   (its person may not any more, or a rule refused it)

A bulk is a row with its list in parts of PART alerts. ``bulk_run`` does one part in one transaction together with ``done_parts``;
after a crash whoever comes next goes on behind the last part that was committed, so no alert is changed twice and none is left out.
A draft is nothing yet: it is neither in the audit trail nor does it change anything, and goes after DRAFT_SECONDS.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from operations import clock
from operations.alerts.bulk_schema import Bulk, Preview
from operations.alerts.desk_models import AlertBulk, AlertBulkPart
from operations.alerts.history import checked_note
from operations.alerts.listing import among, matching_versions, within
from operations.alerts.mass import differing
from operations.alerts.models import Alert, AlertEntity
from operations.alerts.schema import AlertFilter, Change, given
from operations.alerts.triage import check_change, undoable
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.reach import zones_seen

PART = 1000
MOST = 100_000

DRAFT_SECONDS = 1800
NAMED = 200
_LISTED = 10


def prepare(
    session: Session,
    actor: Actor,
    owner: str,
    change: Change,
    *,
    where: AlertFilter | None = None,
    ids: Mapping[int, int | None] | None = None,
    note: str = "",
) -> tuple[Bulk, Preview]:
    """A draft over all alerts that match ``where``, or over ``ids`` (with the versions that were seen, None = the present one).

    Raises Invalid.
    """
    check_change(session, change)
    text = checked_note(note)
    asked, cut = dict(ids or {}), False
    if where is not None:
        found = matching_versions(session, where, MOST + 1)
        cut = len(found) > MOST
        asked = dict(found[:MOST])
    if len(asked) > MOST:
        raise Invalid(f"at most {MOST:,} alerts in one act", field="ids")
    rows = {row.id: row for row in _read(session, list(asked))}
    items = [(key, rows[key].version if asked[key] is None else asked[key]) for key in sorted(asked) if key in rows]
    if not items:
        raise Invalid("no alert is selected", field="ids")
    bulk = _store(session, actor, owner, "change", given(change), text, [(key, version or 0) for key, version in items])
    return _record(bulk), _preview(session, [rows[key] for key, _ in items], change, len(asked) - len(items), cut)


def preview_of(session: Session, owner: str, bulk_id: str) -> Preview:
    """The preview of a draft as its alerts are now. Raises NotFound."""
    bulk = _own(session, owner, bulk_id)
    listed = dict(items_of(session, bulk_id))
    rows = _read(session, list(listed))
    found = _preview(session, rows, change_of(bulk), len(listed) - len(rows), cut=bulk.total >= MOST)
    return msgspec.structs.replace(found, overtaken=sum(1 for row in rows if row.version != listed[row.id]))


def start(session: Session, actor: Actor, owner: str, bulk_id: str) -> Bulk:
    """Let a draft begin: one entry of the audit trail with the digest and the size of its list. Raises NotFound, Conflict."""
    bulk = _own(session, owner, bulk_id, lock=True)
    if bulk.state != "draft":
        raise Conflict("this act has begun already", "look at how far it is")
    return _begin(session, actor, bulk)


def prepare_undo(session: Session, actor: Actor, owner: str, batch: str) -> Bulk:
    """Begin to take a (bulk) change of one's own back; small ones too are done by ``bulk_run``. Raises NotFound, Denied."""
    ids = undoable(session, actor, batch)
    bulk = _store(session, actor, owner, "undo", {}, "", [(key, 0) for key in ids], undoes=batch)
    return _begin(session, actor, bulk)


def get_bulk(session: Session, owner: str, bulk_id: str) -> Bulk:
    """One of one's own bulk acts. Raises NotFound, also for somebody else's."""
    return _record(_own(session, owner, bulk_id))


def remove_drafts(session: Session) -> int:
    """Forget drafts that nobody started, and the lists of acts that ended a week ago; for the scheduler."""
    old = clock.shift(clock.now(), -DRAFT_SECONDS)
    drafts = session.connection().execute(
        delete(AlertBulk.__table__).where(AlertBulk.state == "draft", AlertBulk.updated_at < old)  # type: ignore[arg-type]
    )
    ended = select(AlertBulk.id).where(AlertBulk.state == "done", AlertBulk.updated_at < clock.shift(clock.now(), -7 * 86_400))
    session.execute(delete(AlertBulkPart).where(AlertBulkPart.bulk_id.in_(ended)))
    return int(drafts.rowcount)


def items_of(session: Session, bulk_id: str, number: int | None = None) -> list[tuple[int, int]]:
    """Ids and versions of a bulk, or of one part of it."""
    query = select(AlertBulkPart.items).where(AlertBulkPart.bulk_id == bulk_id).order_by(AlertBulkPart.number)
    if number is not None:
        query = query.where(AlertBulkPart.number == number)
    return [(key, version) for items in session.execute(query).scalars() for key, version in orjson.loads(items)]


def change_of(bulk: AlertBulk) -> Change:
    """The change that a bulk makes."""
    return Change(**orjson.loads(bulk.change))


def _begin(session: Session, actor: Actor, bulk: AlertBulk) -> Bulk:
    bulk.state, bulk.updated_at = "waiting", clock.now()
    detail = {"count": bulk.total, "digest": "sm3:" + bulk.digest, "batch": bulk.id, "note": bool(bulk.note)}
    if bulk.kind == "undo":
        audit.append(session, actor, "alert.undo", "alert", bulk.undoes, detail=detail)
    else:
        audit.append(session, actor, "alert.bulk_change", "alert", bulk.id, detail={"change": orjson.loads(bulk.change), **detail})
    return _record(bulk)


def _store(
    session: Session,
    actor: Actor,
    owner: str,
    kind: str,
    change: dict[str, object],
    note: str,
    items: Sequence[tuple[int, int]],
    undoes: str = "",
) -> AlertBulk:
    present, zones = clock.now(), zones_seen(session)
    parts = [items[at : at + PART] for at in range(0, len(items), PART)]
    bulk = AlertBulk(
        id=secrets.token_hex(16), owner=owner, actor=actor.name[:160], address=actor.address[:64], kind=kind,
        change=orjson.dumps(change).decode(), note=note, undoes=undoes, state="draft",
        zones=None if zones is None else orjson.dumps(sorted(zones)).decode(),
        total=len(items), parts=len(parts), done_parts=0, changed=0, unchanged=0, overtaken=0, missing=0, named="[]",
        digest=sm3(" ".join(f"{key}:{version}" for key, version in items).encode()).hex(), problem="",
        created_at=present, updated_at=present, finished_at=None,
    )  # fmt: skip
    session.add(bulk)
    session.flush()
    rows = [{"bulk_id": bulk.id, "number": number, "items": orjson.dumps(part).decode()} for number, part in enumerate(parts)]
    session.execute(insert(AlertBulkPart), rows)
    return bulk


def _own(session: Session, owner: str, bulk_id: str, *, lock: bool = False) -> AlertBulk:
    query = select(AlertBulk).where(AlertBulk.id == bulk_id, AlertBulk.owner == owner)
    bulk = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if bulk is None:
        raise NotFound("there is no such act")
    return bulk


def _read(session: Session, ids: list[int]) -> list[Alert]:
    names = ("id", "version", "level", "status", "rule_id", "rule_name", "assignee", "verdict", "merged_into")
    columns = [Alert.__table__.c[name] for name in names]
    found: list[Alert] = []
    for at in range(0, len(ids), 20_000):
        found += session.execute(select(*columns).where(among(session, ids[at : at + 20_000]), *within(session)))  # type: ignore[arg-type]
    return found


def _preview(session: Session, rows: Sequence[Alert], change: Change, hidden: int, cut: bool) -> Preview:
    names = {row.rule_id: row.rule_name for row in rows}
    zones: Counter[str] = Counter()
    ids = [row.id for row in rows]
    seen = zones_seen(session)
    for at in range(0, len(ids), 20_000):
        query = (
            select(AlertEntity.value, func.count())
            .where(
                AlertEntity.kind == "zone", AlertEntity.alert_id.in_(select(Alert.id).where(among(session, ids[at : at + 20_000])))
            )
            .group_by(AlertEntity.value)
        )
        zones.update({value: number for value, number in session.execute(query) if seen is None or value in seen})
    return Preview(
        len(rows),
        _top(Counter(row.level for row in rows), {}),
        _top(Counter(row.rule_id for row in rows), names),
        _top(zones, {}),
        _top(Counter(row.status for row in rows), {}),
        sum(1 for row in rows if not differing(row, change)),
        hidden,
        cut,
    )


def _top(counter: Counter[str], labels: Mapping[str, str]) -> list[tuple[str, str, int]]:
    return [(value, labels.get(value, ""), number) for value, number in counter.most_common(_LISTED)]


def _record(bulk: AlertBulk) -> Bulk:
    return Bulk(
        bulk.id, bulk.owner, bulk.kind, bulk.state, orjson.loads(bulk.change), bulk.note, bulk.total,
        min(bulk.total, bulk.done_parts * PART), bulk.changed, bulk.unchanged, bulk.overtaken, bulk.missing,
        orjson.loads(bulk.named), bulk.digest, bulk.problem, bulk.undoes, bulk.created_at, bulk.finished_at,
    )  # fmt: skip
