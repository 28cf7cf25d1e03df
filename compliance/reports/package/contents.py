"""What goes into a package as JSON: verdicts, their history, decisions, the score."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow, VerdictStep
from compliance.assessment.places import CRYPTO
from compliance.reports.material import Material
from operations.errors import Invalid

MOST_STEPS = 1_000_000


def verdicts(material: Material) -> bytes:
    """Every pair, with what was said, by whom, why."""
    told = [
        {
            "item": one.item, "object": one.object_id, "object_name": one.object_name,
            "object_kind": one.object.kind if one.object else "", "verdict": one.verdict, "source": one.source, "by": one.by,
            "reason": one.reason, "evidence": one.evidence, "reproduce": one.reproduce, "at": one.at,
            "checked_at": one.checked_at, "probe_says": one.probed, "version": one.version,
        }
        for one in material.pairs
    ]  # fmt: skip
    system = {"id": material.system.id, "name": material.system.name, "level": str(material.system.level),
              "extensions": material.system.extensions, "as_of": material.changed_at}  # fmt: skip
    return _json({"system": system, "verdicts": told})


def crypto_verdicts(session: Session, material: Material) -> bytes:
    """Those of GB/T 39786, with D, A and K."""
    query = select(VerdictRow).where(VerdictRow.system_id == material.system.id, VerdictRow.standard == CRYPTO)
    rows = session.execute(query.order_by(VerdictRow.item, VerdictRow.object_id)).scalars()
    names = ("item", "object_id", "verdict", "source", "judged_by", "reason", "evidence", "detail", "at", "version")
    return _json([{name: getattr(row, name) for name in names} for row in rows])


def history(session: Session, material: Material) -> bytes:
    """Every line of the history, oldest first, one JSON object a line. Raises Invalid beyond MOST_STEPS."""
    query = select(VerdictStep).where(VerdictStep.system_id == material.system.id).order_by(VerdictStep.id).limit(MOST_STEPS + 1)
    names = ("id", "item", "object_id", "verdict", "previous", "source", "judged_by", "reason", "evidence", "at", "counted")
    lines = [
        msgspec.json.encode({name: getattr(row, name) for name in names})
        for row in session.execute(query).scalars().yield_per(5_000)
    ]
    if len(lines) > MOST_STEPS:
        raise Invalid(f"the history has more than {MOST_STEPS:,} lines")
    return b"".join(line + b"\n" for line in lines)


def decisions(material: Material) -> bytes:
    """What people decided, the hazards, and the score by the template."""
    found = material.standing
    taken = [
        {"item": one.item, "object": one.object_id, "reason": one.reason, "by": one.by, "at": one.at}
        for one in material.pairs
        if one.decided
    ]  # fmt: skip
    score = msgspec.to_builtins(material.scored) if material.scored else None
    return _json({"decisions": found.decisions, "hazards": found.hazards, "not_applicable": taken, "score": score})


def _json(told: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
