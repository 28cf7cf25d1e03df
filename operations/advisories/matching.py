"""Matching advisories with the software of assets, kept up to date by the scheduler.

Only products that an advisory names are read (both sides are indexed by product), and what stands on many assets is judged once.
A round writes only what has changed, each row on the version that it read: who changes a state meanwhile wins, and the next round
looks again. Running twice changes nothing.

A person's ``accepted`` ends at its moment; ``fixed`` and ``false`` hold for the evidence they were decided on. What the inventory
shows as mended becomes ``fixed`` by itself, and open again where it comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.advisories import rounds
from operations.advisories.judging import Installed, Rule, Verdict, judge
from operations.advisories.models import AdvisoryMatch, AdvisoryProduct, AdvisoryRound, AdvisoryRow
from operations.advisories.schema import Reason
from operations.assets.models import AssetRow
from operations.audit.schema import SYSTEM
from operations.software.models import SoftwareRow
from operations.software.versions import Range
from operations.zones.revision import current

_BY_ITSELF = SYSTEM.name
_CHUNK = 2_000
_Key = tuple[int, int]
_RANK = {"fixed": 0, "possibly": 1, "affected": 2}


class Rounds(msgspec.Struct, frozen=True):
    """What a round did; ``looked`` False = nothing had changed."""

    looked: bool
    made: int = 0
    changed: int = 0


class AdvisoryMatcher:
    """One for a process."""

    def __init__(self, database: Database, *, now: Callable[[], str] | None = None) -> None:
        self._database = database
        self._now = now or (lambda: clock.now())

    def __call__(self) -> Rounds:
        """One round. Raises what the database raises."""
        now = self._now()
        with self._database.read() as session:
            state, plan = session.get(AdvisoryRound, 1), current(session)[0]
            ended = select(AdvisoryMatch.id).where(AdvisoryMatch.state == "accepted", AdvisoryMatch.expires_at <= now)
            if state is None or (
                state.wanted == state.done and state.plan == plan and session.execute(ended.limit(1)).first() is None
            ):
                return Rounds(False)
            wanted = state.wanted
            fresh, changes = _difference(_verdicts(session), session, now)
        for start in range(0, len(fresh), _CHUNK):
            self._insert(fresh[start : start + _CHUNK])
        for start in range(0, len(changes), _CHUNK):
            with self._database.write() as session:
                for change in changes[start : start + _CHUNK]:
                    _write(session, change)
        with self._database.write() as session:
            row = rounds.hold(session)
            row.done, row.plan = wanted, plan
            if fresh or changes:
                row.changed += 1
            count(session)
        return Rounds(True, len(fresh), len(changes))

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        """Rows whose asset or advisory went meanwhile, or that another scheduler made, are left to the next round."""
        try:
            with self._database.write() as session:
                session.execute(insert(AdvisoryMatch), rows)
        except IntegrityError:
            for row in rows:
                try:
                    with self._database.write() as session:
                        session.execute(insert(AdvisoryMatch), [row])
                except IntegrityError:
                    continue


def count(session: Session) -> None:
    """Bring the numbers and the order of the advisories up to date."""
    inner = select(
        func.sum(case((AdvisoryMatch.verdict == "affected", 1), else_=0)),
        func.sum(case((AdvisoryMatch.verdict == "possibly", 1), else_=0)),
    )
    grouped = inner.add_columns(AdvisoryMatch.advisory_id).where(AdvisoryMatch.state == "open").group_by(AdvisoryMatch.advisory_id)
    now = {row[2]: (int(row[0]), int(row[1])) for row in session.execute(grouped)}
    query = select(AdvisoryRow.id, AdvisoryRow.affected, AdvisoryRow.possible, AdvisoryRow.due)
    had = query.where(or_(AdvisoryRow.affected > 0, AdvisoryRow.possible > 0, AdvisoryRow.id.in_(list(now)[:500])))
    rows = list(session.execute(had if len(now) <= 500 else query))
    for number, affected, possible, due in rows:
        wanted = now.get(number, (0, 0))
        if wanted != (affected, possible):
            values = {"affected": wanted[0], "possible": wanted[1], "rank": f"{'0' if any(wanted) else '1'}{due}"}
            change = update(AdvisoryRow).where(AdvisoryRow.id == number).values(**values)
            session.execute(change, execution_options={"synchronize_session": False})


def _rules(session: Session) -> dict[str, dict[int, list[Rule]]]:
    """Product → advisory → rules. Where a source names versions of a vulnerability, the bare name in KEV tells nothing more."""
    found: dict[str, dict[int, list[Rule]]] = {}
    told = set(session.execute(select(AdvisoryProduct.advisory_id).where(AdvisoryProduct.source != "kev").distinct()).scalars())
    for row in session.execute(select(AdvisoryProduct)).scalars():
        if row.source == "kev" and row.advisory_id in told:
            continue
        limits = Range(row.low, row.low_in, row.high, row.high_in)
        condition = tuple(orjson.loads(row.condition)) if row.condition != "[]" else ()
        rule = Rule(row.vendor_key, row.scheme, row.status, limits, row.whole, row.cpe, row.source, condition)
        found.setdefault(row.product_key, {}).setdefault(row.advisory_id, []).append(rule)
    return found


def _verdicts(session: Session) -> dict[_Key, Verdict]:
    """(advisory, asset) → the worst verdict of its software."""
    rules = _rules(session)
    if not rules:
        return {}
    columns = (SoftwareRow.asset_id, SoftwareRow.vendor_key, SoftwareRow.product_key, SoftwareRow.product, SoftwareRow.release)
    query = select(*columns, SoftwareRow.scheme, SoftwareRow.cpe).join(AssetRow, AssetRow.id == SoftwareRow.asset_id)
    query = query.where(AssetRow.status != "retired", SoftwareRow.product_key.in_(select(AdvisoryProduct.product_key).distinct()))
    judged: dict[Installed, list[tuple[int, Verdict]]] = {}
    found: dict[_Key, Verdict] = {}
    for asset_id, vendor_key, product_key, product, release, scheme, name in session.execute(query):
        one = Installed(vendor_key, product_key, product, release, scheme, name)
        verdicts = judged.get(one)
        if verdicts is None:
            named = rules.get(product_key, {})
            verdicts = judged[one] = [(number, made) for number, part in named.items() if (made := judge(one, part))]
        for number, verdict in verdicts:
            before = found.get((number, asset_id))
            if before is None or _RANK[verdict.verdict] > _RANK[before.verdict]:
                found[(number, asset_id)] = verdict
    return _conditions(session, found)


def _conditions(session: Session, found: dict[_Key, Verdict]) -> dict[_Key, Verdict]:
    """What holds only together with another product is possible where that one is not known to be there."""
    asking = [key for key, verdict in found.items() if verdict.condition and verdict.verdict == "affected"]
    assets = sorted({asset_id for _number, asset_id in asking})
    there: dict[int, set[str]] = {}
    for start in range(0, len(assets), 400):
        query = select(SoftwareRow.asset_id, SoftwareRow.vendor_key, SoftwareRow.product_key)
        for asset_id, vendor, product in session.execute(query.where(SoftwareRow.asset_id.in_(assets[start : start + 400]))):
            there.setdefault(asset_id, set()).add(f"{vendor}:{product}")
    for key in asking:
        verdict = found[key]
        if not there.get(key[1], set()).intersection(verdict.condition):
            reason = msgspec.structs.replace(verdict.reason, code="condition", condition=", ".join(verdict.condition[:3]))
            found[key] = Verdict("possibly", reason)
    return found


def _difference(found: dict[_Key, Verdict], session: Session, now: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows to be made, and (id, version, values) of those to be changed. A verdict ``fixed`` makes no row of its own."""
    changes: list[dict[str, Any]] = []
    columns = (AdvisoryMatch.id, AdvisoryMatch.advisory_id, AdvisoryMatch.asset_id, AdvisoryMatch.verdict, AdvisoryMatch.reason)
    query = select(*columns, AdvisoryMatch.evidence, AdvisoryMatch.state, AdvisoryMatch.expires_at, AdvisoryMatch.version)
    for row in session.execute(query):
        verdict = found.pop((row.advisory_id, row.asset_id), None)
        values = _changed(row, verdict, now)
        if values:
            changes.append({"id": row.id, "version": row.version, "values": values})
    fresh = [_fresh(key, verdict, now) for key, verdict in found.items() if verdict.verdict != "fixed"]
    return fresh, changes


def _changed(row: Any, verdict: Verdict | None, now: str) -> dict[str, Any]:
    made = verdict or Verdict("fixed", Reason("gone"))
    reason, evidence = msgspec.json.encode(made.reason).decode(), _evidence(made)
    state = row.state
    if made.verdict == "fixed":
        state = "fixed" if state in ("open", "accepted") else state
    elif (state == "accepted" and row.expires_at and row.expires_at <= now) or (
        state in ("fixed", "false") and (row.verdict == "fixed" or row.evidence != evidence)
    ):
        state = "open"
    values: dict[str, Any] = {}
    if (row.verdict, row.reason, row.evidence) != (made.verdict, reason, evidence):
        values = {"verdict": made.verdict, "reason": reason, "evidence": evidence}
    if state != row.state:
        values |= {"state": state, "expires_at": None, "changed_at": now, "changed_by": _BY_ITSELF}
        values |= {"created_at": now} if state == "open" and row.state == "fixed" else {}
    return values


def _fresh(key: _Key, verdict: Verdict, now: str) -> dict[str, Any]:
    return {
        "advisory_id": key[0], "asset_id": key[1], "verdict": verdict.verdict,
        "reason": msgspec.json.encode(verdict.reason).decode(), "evidence": _evidence(verdict), "state": "open", "note": "",
        "expires_at": None, "created_at": now, "changed_at": now, "changed_by": _BY_ITSELF, "version": 1,
    }  # fmt: skip


def _evidence(verdict: Verdict) -> str:
    return f"{verdict.verdict}\n{verdict.reason.product}\n{verdict.reason.release}"[:400]


def _write(session: Session, change: dict[str, Any]) -> None:
    row = update(AdvisoryMatch).where(AdvisoryMatch.id == change["id"], AdvisoryMatch.version == change["version"])
    values = {**change["values"], "version": change["version"] + 1}
    session.execute(row.values(**values), execution_options={"synchronize_session": False})
