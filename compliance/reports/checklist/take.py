"""A check-list taken in: its changes become verdicts of the person who takes it in, all of them or none."""

from __future__ import annotations

from sqlalchemy.orm import Session

from compliance.assessment.record import MOST_AT_ONCE, record_many
from compliance.assessment.schema import Finding
from compliance.reports.checklist.compare import Plan, compare
from compliance.reports.checklist.read import Sheet
from compliance.reports.material import gather
from compliance.systems import rows
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid


def take_in(session: Session, who: Principal, system_id: int, sheet: Sheet) -> Plan:
    """Compared again under the lock of the system, then recorded and audited. Raises NotFound; Invalid and Conflict with nothing
    recorded, also where a single row is wrong or was changed by somebody else."""
    rows.find_system(session, system_id, for_update=True)
    plan = compare(sheet, gather(session, system_id))
    if plan.troubles:
        first = plan.troubles[0]
        stale = any(one.kind == "changed_since" for one in plan.troubles)
        told = f"{len(plan.troubles)} rows cannot be taken in; line {first.line}: {first.message}"
        raise (Conflict if stale else Invalid)(told, "compare it first, and mend or empty these rows")
    for start in range(0, len(plan.changes), MOST_AT_ONCE):
        part = plan.changes[start : start + MOST_AT_ONCE]
        findings = [Finding(one.item, one.object_id, one.after, one.reason, one.evidence) for one in part]
        done = record_many(session, who.actor, system_id, findings, source="person")
        if done.refused:
            place, why = next(iter(done.refused.items()))
            raise Invalid(f"line {part[place].line}: {why}", "nothing was recorded")
    detail = {"changes": len(plan.changes), "untouched": plan.untouched, "same": plan.same}
    audit.append(session, who.actor, "checklist.import", "mlps_system", system_id, detail=detail)
    return plan
