"""Warnings that were published or adjusted, and which of them meet a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.warnings.models import WarningHistory, WarningRow
from playbooks.triggers.conditions import WarningCondition
from playbooks.triggers.schema import Subject


def new_acts(session: Session, mark: int, until: int, limit: int) -> Sequence[Any]:
    """Number, act and warning of each that was published or adjusted after ``mark``, oldest first."""
    query = (
        select(WarningHistory.id, WarningHistory, WarningRow)
        .join(WarningRow, WarningRow.id == WarningHistory.warning_id)
        .where(WarningHistory.id > mark, WarningHistory.id <= until, WarningHistory.act.in_(("publish", "adjust")))
    )
    return session.execute(query.order_by(WarningHistory.id).limit(limit)).all()


def warnings_that_fit(rows: Sequence[Any], condition: WarningCondition) -> list[Subject]:
    """Those of ``rows`` that meet ``condition``, in their order."""
    return [
        Subject(
            kind="warning",
            number=warning.id,
            place=number,
            key=f"warning:{warning.id}:{number}",
            entity=f"warning:{warning.id}",
            actor=act.actor,
        )
        for number, act, warning in rows
        if orjson.loads(act.after).get("level") in condition.levels
        and (not condition.zones or set(condition.zones) & set(orjson.loads(warning.zones)))
    ]
