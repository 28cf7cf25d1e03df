"""``liandun-indicator-revoke``: watch no more for what this very run added; what undo steps use.

What stood there before the run stays, and is no failure: ``liandun-indicator-add`` gives its number, too.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.indicators import listing
from operations.indicators import service as indicators
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import IndicatorRevokeParameters


class IndicatorRevokeAction(OwnAction[IndicatorRevokeParameters]):
    """The action."""

    kind = "liandun-indicator-revoke"

    def told(self, given: IndicatorRevokeParameters) -> Plan:
        return Plan(f"watch no more for indicator {given.indicator}", (f"indicator {given.indicator}",))

    def act(self, session: Session, who: Principal, given: IndicatorRevokeParameters) -> dict[str, str]:
        found = listing.get_indicator(session, given.indicator)
        added = select(AuditEntry.id).where(
            AuditEntry.object_type == "indicator",
            AuditEntry.object_id == str(given.indicator),
            AuditEntry.action == "indicator.add",
            AuditEntry.actor == who.name,
        )
        if not found.revoked_at and session.execute(added.limit(1)).first() is not None:
            indicators.revoke(session, who.actor, given.indicator, given.reason, expected_version=None)
        return {}
