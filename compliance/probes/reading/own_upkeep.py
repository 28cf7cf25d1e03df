"""The part about keeping at it: reviews of documents, findings that wait, assessments."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.assessment.models import ScoreRow
from compliance.documents.models import DocumentRow
from compliance.probes.formats.platform import MOST_NAMED
from compliance.probes.formats.platform_work import Upkeep
from compliance.remediation.models import FindingRow


def upkeep(session: Session, now: str) -> Upkeep:
    """Of all systems."""
    in_force = DocumentRow.in_force > 0
    over = in_force, DocumentRow.review_on > "", DocumentRow.review_on < now[:10]
    reviews = select(DocumentRow.title).where(*over).order_by(DocumentRow.review_on, DocumentRow.id).limit(MOST_NAMED)
    waiting = FindingRow.closed_at == "", FindingRow.state != "waived"
    late = FindingRow.due_at > "", FindingRow.due_at < now

    def count(model: type[DocumentRow] | type[FindingRow], *conditions: object) -> int:
        return session.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one()  # type: ignore[arg-type]

    newest = session.execute(select(ScoreRow.at, ScoreRow.provisional).order_by(ScoreRow.id.desc()).limit(1)).one_or_none()
    return Upkeep(
        at=now,
        in_force=count(DocumentRow, in_force),
        reviews=tuple(session.execute(reviews).scalars()),
        findings=count(FindingRow, *waiting),
        overdue=count(FindingRow, *waiting, *late),
        scored_at=newest.at if newest else "",
        provisional=bool(newest.provisional) if newest else False,
    )
