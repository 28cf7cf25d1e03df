"""Verdicts of the units of GB/T 39786 as they are recorded, and as compliance.scoring.crypto takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.assessment.deciding import Decision
from compliance.assessment.models import VerdictRow
from compliance.assessment.places import CRYPTO, places
from compliance.assessment.schema import CryptoDetail
from compliance.scoring import crypto
from compliance.systems.models import ObjectRow
from compliance.verdicts import Verdict, together
from operations.errors import Invalid

_DETAIL = msgspec.json.Decoder(CryptoDetail)
_WHOLE = "system"
_COLUMNS = (
    "item", "object_id", "verdict", "source", "judged_by", "reason", "evidence", "detail", "at", "checked_at", "probed", "version",
)  # fmt: skip


class CryptoRow(msgspec.Struct, frozen=True):
    """A unit on an object (0 = the system as a whole) as it counts now. ``detail`` is JSON, "" without D, A and K."""

    unit: str
    object_id: int
    verdict: str
    source: str
    by: str
    reason: str
    evidence: str
    detail: str
    at: str
    checked_at: str
    probed: str
    version: int
    name: str
    kind: str

    @property
    def called(self) -> str:
        """How the scoring names the object."""
        return str(self.object_id or _WHOLE)

    @property
    def found(self) -> CryptoDetail:
        """D, A and K. Without them, or where they contradict the verdict, they follow it: partly met then is the least there is."""
        if self.detail:
            told = _DETAIL.decode(self.detail)
            measured = crypto.CryptoObject("", told.D, told.A, told.K, told.bits, told.module_level_1)
            if crypto.verdict_of(crypto.object_score(measured)) == self.verdict:
                return told
        met = self.verdict == Verdict.MET
        return CryptoDetail(self.verdict in (Verdict.MET, Verdict.PARTLY), met, met)


def crypto_rows(session: Session, system_id: int, unit: str = "") -> list[CryptoRow]:
    """Of a system that was found before, by unit and object, without objects that were taken out; ``unit`` "" = all."""
    columns: list[Any] = [getattr(VerdictRow, name) for name in _COLUMNS]
    columns += [func.coalesce(ObjectRow.name, ""), func.coalesce(ObjectRow.kind, "")]
    query = (
        select(*columns)
        .outerjoin(ObjectRow, ObjectRow.id == VerdictRow.object_id)
        .where(VerdictRow.system_id == system_id, VerdictRow.standard == CRYPTO, ObjectRow.removed_at.is_(None))
        .order_by(VerdictRow.item, VerdictRow.object_id)
    )
    if unit:
        query = query.where(VerdictRow.item == unit)
    return [CryptoRow(*row) for row in session.execute(query)]


def crypto_assessed(rows: Iterable[CryptoRow], decided: Sequence[Decision], system: str) -> crypto.CryptoAssessed:
    """What the score is made of. Raises Invalid where nothing has a verdict."""
    by_unit: dict[str, list[CryptoRow]] = {}
    for row in rows:
        by_unit.setdefault(row.unit, []).append(row)
    if not by_unit:
        raise Invalid("no unit of GB/T 39786 has a verdict", "nothing can be scored")
    return crypto.CryptoAssessed(
        {unit: _finding(unit, found) for unit, found in by_unit.items()}, system,
        tuple(f"{one.subject}: {one.reason}" for one in decided if one.kind == "crypto_risk"),
        tuple(crypto.LoweredRisk(one.subject, one.by, one.reason) for one in decided if one.kind == "crypto_lowered"),
    )  # fmt: skip


def crypto_object(row: CryptoRow) -> crypto.CryptoObject:
    """An object of a technical unit."""
    if row.verdict == Verdict.NOT_APPLICABLE:
        return crypto.CryptoObject(row.called, not_applicable=True, reason=row.reason)
    found = row.found
    other = crypto.ObjectRef(found.made_up_unit, str(found.made_up_object or _WHOLE)) if found.made_up_unit else None
    return crypto.CryptoObject(row.called, found.D, found.A, found.K, found.bits, found.module_level_1, other)


def _finding(unit: str, found: Sequence[CryptoRow]) -> crypto.CryptoFinding:
    if not places()[unit].technical:
        whole = together([Verdict(row.verdict) for row in found])
        return crypto.CryptoFinding(verdict=whole.value if whole else "")
    return crypto.CryptoFinding(tuple(crypto_object(row) for row in found))
