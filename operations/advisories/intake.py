"""Taking documents in: what each source says of a vulnerability is kept apart, and the advisory follows from all of them.

The same document again changes nothing; a newer one replaces what that source said. A record that cannot be read costs the others
nothing and is told with its place.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.advisories import csaf, document, kev, nvd
from operations.advisories.models import NO_DUE, AdvisoryProduct, AdvisoryRow
from operations.advisories.rounds import touch
from operations.advisories.schema import Imported, Statement, Told
from operations.audit import service as audit
from operations.errors import Denied
from operations.reach import zones_seen
from operations.software import names
from operations.software.schema import Problem

MOST_PROBLEMS = 200
_READERS = {"kev": kev.read, "nvd": nvd.read, "csaf": csaf.read}
_CHUNK = 400


def take_in(session: Session, who: Principal, raw: bytes) -> Imported:
    """Import a document. Raises Invalid where nothing of it can be read, Denied for who sees some zones only."""
    if zones_seen(session) is not None:
        raise Denied("advisories are for the whole city: the operator imports them")
    read = document.load(raw)
    kind = document.kind_of(read)
    told: dict[tuple[str, str], Told] = {}
    problems: list[Problem] = []
    for one in _READERS[kind](read):
        if isinstance(one, Problem):
            problems.append(one)
        else:
            told[(one.key, one.source)] = one
    counts = _store(session, list(told.values()))
    made, changed, same = counts
    left = problems[:MOST_PROBLEMS]
    detail = {"kind": kind, "made": made, "changed": changed, "same": same, "problems": len(problems)}
    audit.append(session, who.actor, "advisory.import", "advisory", kind, detail=detail)
    if made or changed:
        touch(session)
    return Imported(kind, made, changed, same, left)


def _store(session: Session, told: list[Told]) -> tuple[int, int, int]:
    made = changed = same = 0
    for start in range(0, len(told), _CHUNK):
        part = told[start : start + _CHUNK]
        query = select(AdvisoryRow).where(AdvisoryRow.key.in_([one.key for one in part]))
        known = {row.key: row for row in session.execute(query).scalars()}
        fresh: list[dict[str, Any]] = []
        gone: list[tuple[int, str]] = []
        for one in part:
            row = known.get(one.key)
            sources = orjson.loads(row.sources) if row is not None else {}
            says = _says(one)
            if sources.get(one.source) == says:
                same += 1
                continue
            if row is None:
                row = AdvisoryRow(key=one.key, version=0, affected=0, possible=0)
                known[one.key] = row
                session.add(row)
                made += 1
            else:
                changed += 1
                gone.append((row.id, one.source))
            _derive(row, sources | {one.source: says})
            session.flush()
            fresh += [_columns(row.id, one.source, statement) for statement in one.statements]
        for advisory_id, source in gone:
            rows = delete(AdvisoryProduct).where(AdvisoryProduct.advisory_id == advisory_id, AdvisoryProduct.source == source)
            session.execute(rows, execution_options={"synchronize_session": False})
        if fresh:
            session.execute(insert(AdvisoryProduct), fresh)
    return made, changed, same


def _says(one: Told) -> dict[str, Any]:
    """What is kept of a source; the statements by their check sum, they have rows of their own."""
    found: dict[str, Any] = orjson.loads(msgspec.json.encode(one))
    for name in ("key", "source", "statements"):
        del found[name]
    return found | {"statements": zlib.crc32(msgspec.json.encode(one.statements))}


def _derive(row: AdvisoryRow, sources: dict[str, Any]) -> None:
    """The columns from all sources: words of KEV first, then of a vendor, then of NVD; the highest score."""
    order = sorted(sources, key=lambda name: {"kev": "0", "nvd": "2"}.get(name, "1") + name)
    says = [sources[name] for name in order]

    def first(field: str) -> str:
        return next((one[field] for one in says if one[field]), "")

    listed = sources.get("kev") or {}
    scores = [one["cvss"] for one in says if one["cvss"] is not None]
    aliases = list(dict.fromkeys(alias for one in says for alias in one["aliases"]))
    row.title, row.summary, row.vendor, row.product = first("title") or row.key, first("summary"), first("vendor"), first("product")
    row.kev, row.ransomware, row.kev_added = bool(listed), bool(listed.get("ransomware")), listed.get("kev_added", "")
    row.due = listed.get("due") or NO_DUE
    row.cvss, row.published, row.action = max(scores, default=None), first("published"), first("action")
    row.aliases, row.sources = orjson.dumps(aliases).decode(), orjson.dumps(sources).decode()
    row.rank = f"{'0' if row.affected or row.possible else '1'}{row.due}"
    row.text = "\n".join((row.key, row.title, row.vendor, row.product, *aliases)).casefold()
    row.changed_at, row.version = clock.now(), row.version + 1


def _columns(advisory_id: int, source: str, one: Statement) -> dict[str, Any]:
    vendor_key, product_key = names.keys(one.vendor, one.product, one.scheme)
    return {
        "advisory_id": advisory_id, "source": source, "vendor_key": vendor_key, "product_key": product_key,
        "product": " ".join(filter(None, (one.vendor, one.product)))[:320], "cpe": one.cpe, "scheme": one.scheme,
        "status": one.status, "low": one.low, "low_in": one.low_in, "high": one.high, "high_in": one.high_in, "whole": one.whole,
        "condition": orjson.dumps(one.condition).decode(),
    }  # fmt: skip
