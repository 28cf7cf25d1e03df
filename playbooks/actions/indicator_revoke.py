"""``liandun-indicator-revoke``: watch no more for what a playbook added; what undo steps use. Revoked already is as good."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.errors import Invalid
from operations.indicators import listing
from operations.indicators import service as indicators
from playbooks.actions.contract import Plan
from playbooks.actions.indicator_add import ORIGIN
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import IndicatorRevokeParameters


class IndicatorRevokeAction(OwnAction[IndicatorRevokeParameters]):
    """The action. It takes back what playbooks added, never what people or feeds did."""

    kind = "liandun-indicator-revoke"

    def told(self, given: IndicatorRevokeParameters) -> Plan:
        return Plan(f"watch no more for indicator {given.indicator}", (f"indicator {given.indicator}",))

    def act(self, session: Session, who: Principal, given: IndicatorRevokeParameters) -> dict[str, str]:
        found = listing.get_indicator(session, given.indicator)
        if found.origin != ORIGIN:
            raise Invalid("only what a playbook added is taken back by one", "revoke it by hand", field="indicator")
        if not found.revoked_at:
            indicators.revoke(session, who.actor, given.indicator, given.reason, expected_version=None)
        return {}
