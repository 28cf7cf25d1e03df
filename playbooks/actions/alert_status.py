"""``liandun-alert-status``: another status, verdict or assignee of an alert. Gives ``alert_status_before`` for an undo step."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.alerts.models import SETTABLE
from operations.alerts.reading import get_alert
from operations.alerts.schema import Change
from operations.alerts.triage import change_alert
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import AlertStatusParameters


class AlertStatusAction(OwnAction[AlertStatusParameters]):
    """The action."""

    kind = "liandun-alert-status"

    def told(self, given: AlertStatusParameters) -> Plan:
        verdict = f", verdict {given.verdict}" if given.verdict else ""
        return Plan(f"set alert {given.alert} to {given.status}{verdict}", (f"alert {given.alert}",))

    def act(self, session: Session, who: Principal, given: AlertStatusParameters) -> dict[str, str]:
        before = get_alert(session, given.alert).status
        more = {name: getattr(given, name) for name in ("verdict", "assignee") if getattr(given, name)}
        change_alert(session, who.actor, given.alert, Change(status=given.status, **more), note=given.note)
        return {"alert_status_before": before if before in SETTABLE else SETTABLE[0]}
