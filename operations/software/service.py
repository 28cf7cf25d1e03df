"""The rules of the software register: read, entered by hand, imported. Scope is that of the asset it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from operations import clock
from operations.advisories.rounds import touch
from operations.assets import listing
from operations.assets.models import AssetRow
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.software import cpe, names
from operations.software.models import SoftwareRow
from operations.software.readers import checked, read
from operations.software.schema import Entry, Problem, SoftwareRecord, Taken

MAX_OF_ASSET = 10_000
MAX_LISTED = 10_000
_CHUNK = 400
_Ident = tuple[int, str, str, str, str]


def of_asset(session: Session, key: str, *, limit: int = MAX_LISTED) -> list[SoftwareRecord]:
    """What runs on an asset, by product. Raises NotFound."""
    asset = _asset(session, key)
    query = select(SoftwareRow).where(SoftwareRow.asset_id == asset.id).order_by(SoftwareRow.product, SoftwareRow.id)
    return [_record(row, key) for row in session.execute(query.limit(min(limit, MAX_LISTED))).scalars()]


def add(session: Session, actor: Actor, key: str, entry: Entry) -> SoftwareRecord:
    """Enter a product by hand. Raises NotFound, Invalid, Conflict (it is there already)."""
    asset, entry = _asset(session, key), checked(entry)
    if _known(session, [asset.id]).get(_ident(asset.id, entry)) is not None:
        raise Conflict("this product is on the asset already", "change its entry")
    _bounded(session, asset, 1)
    now = clock.now()
    row = SoftwareRow(**_columns(asset.id, entry, "hand", actor, now))
    session.add(row)
    session.flush()
    _told(session, actor, "software.add", key, {"product": entry.product, "version": entry.release})
    return _record(row, key)


def remove(session: Session, actor: Actor, key: str, number: int, *, expected_version: int | None = None) -> None:
    """Take an entry off. Raises NotFound, Stale."""
    row = _row(session, _asset(session, key), number, expected_version)
    detail = {"product": row.product, "version": row.release}
    session.delete(row)
    _told(session, actor, "software.remove", key, detail)


def change(
    session: Session, actor: Actor, key: str, number: int, entry: Entry, *, expected_version: int | None = None
) -> SoftwareRecord:
    """Replace an entry, e.g. after an update. Raises NotFound, Invalid, Stale, Conflict."""
    asset, entry = _asset(session, key), checked(entry)
    row = _row(session, asset, number, expected_version)
    there = _known(session, [asset.id]).get(_ident(asset.id, entry))
    if there is not None and there != number:
        raise Conflict("this product is on the asset already", "change its entry")
    before = row.release
    columns = _columns(asset.id, entry, "hand", actor, clock.now())
    for name in ("vendor", "product", "release", "scheme", "cpe", "vendor_key", "product_key", "source", "last_seen", "changed_by"):
        setattr(row, name, columns[name])
    row.version += 1
    session.flush()
    _told(session, actor, "software.change", key, {"product": entry.product, "before": before, "after": entry.release})
    return _record(row, key)


def take_in(session: Session, actor: Actor, form: str, text: str, *, asset: str = "", whole: bool = False) -> Taken:
    """Import a list; what is known already is seen again. ``whole``: the list is all that runs on ``asset``, so what an earlier
    list of that kind told and this one lacks goes. Raises Invalid, NotFound."""
    if form != "csv" and not asset:
        raise Invalid("say which asset this list is of", field="asset")
    if whole and not asset:
        raise Invalid("only the list of one asset can be whole", field="whole")
    listed, problems = read(form, text, asset)
    source = "sbom" if form == "cyclonedx" else "import"
    ids, missing = _asset_ids(session, [asset] if asset else sorted({one.asset for one in listed}))
    if asset and missing:
        raise NotFound(f"there is no asset {asset}")
    known = _known(session, sorted(ids.values()))
    counts = dict.fromkeys(ids.values(), 0)
    for ident in known:
        counts[ident[0]] += 1
    fresh, seen, now = [], set(), clock.now()
    for one in listed:
        asset_id = ids.get(one.asset)
        if asset_id is None:
            problems.append(Problem(one.where, f"there is no asset {one.asset[:128]}"))
            continue
        ident = _ident(asset_id, one.entry)
        if ident in known:
            seen.add(known[ident])
            continue
        if counts[asset_id] >= MAX_OF_ASSET:
            problems.append(Problem(one.where, f"an asset has at most {MAX_OF_ASSET} entries"))
            continue
        counts[asset_id] += 1
        known[ident] = 0
        fresh.append(_columns(asset_id, one.entry, source, actor, now))
    seen.discard(0)
    if fresh:
        session.execute(insert(SoftwareRow), fresh)
    _in_chunks(session, seen, now)
    removed = _gone(session, ids[asset], source, seen, now) if whole else 0
    detail = {"format": form, "made": len(fresh), "seen": len(seen), "removed": removed, "left_out": len(problems)}
    _told(session, actor, "software.import", asset, detail)
    return Taken(len(fresh), len(seen), removed, problems[:100])


def _gone(session: Session, asset_id: int, source: str, seen: set[int], now: str) -> int:
    query = select(SoftwareRow).where(SoftwareRow.asset_id == asset_id, SoftwareRow.source == source)
    gone = [row for row in session.execute(query).scalars() if row.id not in seen and row.last_seen != now]
    for row in gone:
        session.delete(row)
    return len(gone)


def _in_chunks(session: Session, seen: Iterable[int], now: str) -> None:
    every = sorted(seen)
    for start in range(0, len(every), _CHUNK):
        rows = update(SoftwareRow).where(SoftwareRow.id.in_(every[start : start + _CHUNK]))
        session.execute(rows.values(last_seen=now), execution_options={"synchronize_session": False})


def _asset_ids(session: Session, wanted: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Ids of the assets that this session sees, and the keys of none."""
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(AssetRow.key, AssetRow.id).where(AssetRow.key.in_(wanted[start : start + _CHUNK]), *listing.within(session))
        found |= dict(iter(session.execute(query)))
    return found, [key for key in wanted if key not in found]


def _known(session: Session, ids: Sequence[int]) -> dict[_Ident, int]:
    found: dict[_Ident, int] = {}
    columns = (SoftwareRow.asset_id, SoftwareRow.vendor, SoftwareRow.product, SoftwareRow.release, SoftwareRow.cpe, SoftwareRow.id)
    for start in range(0, len(ids), _CHUNK):
        for row in session.execute(select(*columns).where(SoftwareRow.asset_id.in_(ids[start : start + _CHUNK]))):
            found[(row[0], row[1], row[2], row[3], row[4])] = row[5]
    return found


def _ident(asset_id: int, entry: Entry) -> _Ident:
    return (asset_id, entry.vendor, entry.product, entry.release, entry.cpe)


def _columns(asset_id: int, entry: Entry, source: str, actor: Actor, now: str) -> dict[str, str | int]:
    vendor, product = entry.vendor, entry.product
    if entry.cpe:
        named = cpe.parse(entry.cpe)
        vendor, product = cpe.plain(named.vendor) or vendor, cpe.plain(named.product) or product
    vendor_key, product_key = names.keys(vendor, product, "generic" if entry.cpe else entry.scheme)
    return {
        "asset_id": asset_id, "vendor": entry.vendor, "product": entry.product, "release": entry.release, "scheme": entry.scheme,
        "cpe": entry.cpe, "vendor_key": vendor_key, "product_key": product_key, "source": source, "first_seen": now,
        "last_seen": now, "changed_by": actor.name[:160], "version": 1,
    }  # fmt: skip


def _bounded(session: Session, asset: AssetRow, more: int) -> None:
    if len(_known(session, [asset.id])) + more > MAX_OF_ASSET:
        raise Invalid(f"an asset has at most {MAX_OF_ASSET} entries", field="product")


def _asset(session: Session, key: str) -> AssetRow:
    row = session.execute(select(AssetRow).where(AssetRow.key == key[:128], *listing.within(session))).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no asset {key[:128]}")
    return row


def _row(session: Session, asset: AssetRow, number: int, expected: int | None) -> SoftwareRow:
    row = session.get(SoftwareRow, number, with_for_update=True)
    if row is None or row.asset_id != asset.id:
        raise NotFound(f"there is no software {number} on this asset")
    if expected is not None and row.version != expected:
        raise Stale("this entry was changed by somebody else", "read it again and decide once more")
    return row


def _told(session: Session, actor: Actor, act: str, key: str, detail: Mapping[str, object]) -> None:
    audit.append(session, actor, act, "asset", key[:128], detail=dict(detail))
    touch(session)


def _record(row: SoftwareRow, key: str) -> SoftwareRecord:
    return SoftwareRecord(
        row.id, key, row.vendor, row.product, row.release, row.scheme, row.cpe, row.source, row.first_seen, row.last_seen,
        row.changed_by, row.version,
    )  # fmt: skip
