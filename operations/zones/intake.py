"""Taking in a whole plan or a part of one: what it makes, changes and removes, for good or only to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import delete
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.zones.plan import Asset, Conduit, Draft, Zone, ZonePlan, check, merged, told
from kernel.zones.table import ZoneTable
from operations.assets import register
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from operations.zones.models import ConduitRow, ZoneRow
from operations.zones.revision import advance, hold
from operations.zones.rows import read, store_conduit, store_zone
from operations.zones.schema import Change, Imported

_SHOWN_PROBLEMS = 20


def import_plan(
    session: Session, actor: Actor, plan: Draft | ZonePlan, *, replace: bool = False, since: int | None = None
) -> Imported:
    """Take in a plan: what it names is made or changed; with ``replace`` the zones and conduits it does not name are removed.

    Registered assets are never removed by an import. What becomes of the plan is checked as a whole, so a part of a plan may name
    zones that stand. The mistakes of a Draft are told with their lines (PlanError), others as Invalid.

    since  the revision that the plan was written from; Conflict where somebody has changed the plan in force since then, unless it
           says what this one says
    """
    revision = hold(session)
    before = read(session)
    draft, plan = (plan, plan.plan) if isinstance(plan, Draft) else (None, plan)
    whole = merged(before, plan, replace=replace)
    if draft is not None:
        draft.refuse_mistakes(whole)
    else:
        refuse_mistakes(whole, ("zone", "conduit", "asset"))
    changes = _changes(before, whole)
    if changes and since is not None and since < revision:
        raise Conflict(
            f"the plan was written from revision {since}, the one in force is {revision}: somebody has changed it since",
            "export it again and make your change there",
        )
    if changes:
        _store(session, actor, plan, changes)
        advance(session)
    done = Imported.of(plan, changes, hold(session))
    detail = {name: getattr(done, name) for name in ("zones", "conduits", "assets", "made", "changed", "removed")}
    audit.append(session, actor, "zone.import", "zone", "", detail=detail | {"removed_ids": _ids(changes, "remove")[:100]})
    return done


def rehearse(
    database: Database, actor: Actor, plan: Draft | ZonePlan, *, replace: bool = False, since: int | None = None
) -> Imported:
    """What ``import_plan`` would do, and raises what it would raise: it is done in a transaction that is taken back."""
    with database.write() as session:
        done = import_plan(session, actor, plan, replace=replace, since=since)
        session.rollback()
    return done


def refuse_mistakes(plan: ZonePlan, kinds: Iterable[str]) -> None:
    """Raises Invalid with the first mistakes of these kinds."""
    problems = [told(kind, identifier, problem) for kind, identifier, problem in check(plan) if kind in kinds]
    if problems:
        shown = problems[:_SHOWN_PROBLEMS]
        more = f" (and {len(problems) - len(shown)} more)" if len(problems) > len(shown) else ""
        raise Invalid("; ".join(shown) + more, "nothing was changed")


def _store(session: Session, actor: Actor, plan: ZonePlan, changes: Sequence[Change]) -> None:
    """Carry out the changes to zones and conduits, and enter the assets."""
    moved = {(change.kind, change.id) for change in changes}
    for change in changes:
        if change.act == "remove":
            row = ConduitRow if change.kind == "conduit" else ZoneRow
            session.execute(delete(row).where(row.id == change.id))
    session.flush()
    for zone in plan.zones:
        if ("zone", zone.id) in moved:
            store_zone(session, actor, zone, session.get(ZoneRow, zone.id))
    for conduit in plan.conduits:
        if ("conduit", conduit.id) in moved:
            store_conduit(session, actor, conduit, session.get(ConduitRow, conduit.id))
    table = ZoneTable(read(session))
    register.register_many(session, actor, [asset for asset in plan.assets if ("asset", asset.id) in moved], table)
    session.flush()
    register.rezone(session, table)


def _changes(before: ZonePlan, after: ZonePlan) -> list[Change]:
    """What differs: removals first, then changes, then what is new."""
    found = [
        *_differences("zone", before.zones, after.zones),
        *_differences("conduit", before.conduits, after.conduits),
        *_differences("asset", before.assets, after.assets),
    ]
    return sorted(found, key=lambda change: ("remove", "change", "make").index(change.act))


def _differences(kind: str, before: Iterable[Zone | Conduit | Asset], after: Iterable[Zone | Conduit | Asset]) -> Iterator[Change]:
    old, new = {item.id: item for item in before}, {item.id: item for item in after}
    yield from (Change("remove", kind, identifier) for identifier in old if identifier not in new)
    for identifier, item in new.items():
        if identifier not in old:
            yield Change("make", kind, identifier)
        elif old[identifier] != item:
            fields = msgspec.structs.fields(type(item))
            changed = (one.encode_name for one in fields if getattr(item, one.name) != getattr(old[identifier], one.name))
            yield Change("change", kind, identifier, tuple(changed))


def _ids(changes: Sequence[Change], act: str) -> list[str]:
    return [change.id for change in changes if change.act == act]
