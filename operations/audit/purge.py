"""Purging: old entries go, their leaves stay.

Only a whole prefix goes, only by age, never what is younger than MINIMUM_DAYS (《网络安全法》 on log retention: at least six
months; GB/T 22239-2019 8.1.4.3), and only by somebody with the audit power. The purge is an entry itself. What remains is provable
as before: the tree keeps all of its nodes, so heads from before the purge go on being consistent with those after it.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from kernel.config import MINIMUM_RETENTION_DAYS
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service
from operations.audit.models import AuditEntry, AuditHead
from operations.audit.schema import PERMISSION
from operations.errors import Denied, Invalid

MINIMUM_DAYS = MINIMUM_RETENTION_DAYS
_BATCH = 20_000


def purge(database: Database, who: Principal, older_than_days: int) -> int:
    """Remove the entries at the beginning that are older than ``older_than_days``; returns how many went.

    Raises Denied (without the audit power; that is an entry, too) and Invalid (fewer than MINIMUM_DAYS days).
    """
    if not who.may(PERMISSION):
        with database.write() as session:
            service.append(session, who.actor, "audit.purge", "audit", result="denied", detail={"older_than_days": older_than_days})
        raise Denied(f"purging the audit trail needs the permission {PERMISSION}", "ask an audit administrator")
    if older_than_days < MINIMUM_DAYS:
        raise Invalid(
            f"{older_than_days} days are fewer than {MINIMUM_DAYS}: audit records are kept at least six months",
            field="older_than_days",
        )
    with database.write() as session:
        before = clock.shift(clock.now(), -older_than_days * 86_400)
        done = session.execute(select(AuditHead.purged).where(AuditHead.id == 1)).scalar_one_or_none() or 0
        # The first entry that must stay bounds the prefix, so that a clock that once ran ahead keeps what follows it.
        stays = session.execute(select(func.min(AuditEntry.id)).where(AuditEntry.time >= before)).scalar()
        last = (stays - 1) if stays else session.execute(select(func.max(AuditEntry.id))).scalar() or 0
        if last <= done:
            return 0
        detail = {"older_than_days": older_than_days, "before": before, "from": done + 1, "to": last}
        service.append(session, who.actor, "audit.purge", "audit", detail=detail)
        session.execute(update(AuditHead).where(AuditHead.id == 1).values(purged=last))
        for start in range(done, last, _BATCH):
            session.execute(delete(AuditEntry).where(AuditEntry.id > start, AuditEntry.id <= min(start + _BATCH, last)))
    return int(last - done)
