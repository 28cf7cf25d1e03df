"""``liandun-warning-discard``: throw away a draft of a warning that this very run made; what undo steps use."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.errors import Denied
from operations.warnings import drafting, rows
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import WarningDiscardParameters


class WarningDiscardAction(OwnAction[WarningDiscardParameters]):
    """The action. What people have written in meanwhile, or submitted, stays."""

    kind = "liandun-warning-discard"

    def told(self, given: WarningDiscardParameters) -> Plan:
        return Plan(f"throw away the draft of warning {given.warning}", (f"warning {given.warning}",))

    def act(self, session: Session, who: Principal, given: WarningDiscardParameters) -> dict[str, str]:
        record = rows.record_of(session, rows.find(session, given.warning))
        if [record.author, *record.contributors] != [who.name, who.name]:
            raise Denied("others have written in this warning", "discard it by hand")
        if record.status != "discarded":
            drafting.discard(session, who, given.warning, expected_version=record.version, note=given.reason)
        return {}
