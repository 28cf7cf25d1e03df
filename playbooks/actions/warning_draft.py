"""``liandun-warning-draft``: a draft of a warning to bureaus. Gives ``warning_id``. People complete, approve and publish it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.warnings import drafting
from operations.warnings.schema import MAX_TITLE, TEXTS, Draft
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction, cut
from playbooks.actions.parameters import WarningDraftParameters


class WarningDraftAction(OwnAction[WarningDraftParameters]):
    """The action."""

    kind = "liandun-warning-draft"

    def told(self, given: WarningDraftParameters) -> Plan:
        to = [one for one in (*given.organisations, *given.zones) if one]
        return Plan(f"draft a warning: {cut(given.title, 120)}", ("warnings", *to))

    def act(self, session: Session, who: Principal, given: WarningDraftParameters) -> dict[str, str]:
        draft = Draft(
            title=cut(given.title, MAX_TITLE),
            importance=given.importance,
            harm=given.harm,
            level=given.level,
            organisations=tuple(filter(None, given.organisations)),
            zones=tuple(filter(None, given.zones)),
            **{name: getattr(given, name) for name in TEXTS},
        )
        return {"warning_id": str(drafting.create(session, who, draft, alert_id=given.alert or None).id)}
