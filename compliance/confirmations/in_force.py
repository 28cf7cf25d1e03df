"""What was confirmed, brought into use in this process. Of the few rows there are, all are read: it takes less than a page does."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.catalogue.confirmed import Confirmed
from compliance.catalogue.load import use
from compliance.confirmations.models import ConfirmationRow

_DONE = "catalogue_confirmations"


def confirmed(session: Session) -> tuple[Confirmed, ...]:
    """All confirmations, by record and field."""
    query = select(ConfirmationRow).order_by(ConfirmationRow.record, ConfirmationRow.field)
    return tuple(
        Confirmed(row.record, row.field, row.value, row.source, row.confirmed_by, row.confirmed_at)
        for row in session.execute(query).scalars()
    )


def bring_into_use(session: Session) -> None:
    """Once a snapshot; the catalogue of this process is then the one that the database says."""
    snapshot = session.info.get("snapshot")
    if snapshot is None or _DONE not in snapshot:
        use(confirmed(session))
        if snapshot is not None:
            snapshot[_DONE] = True
