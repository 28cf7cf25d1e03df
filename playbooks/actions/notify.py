"""``liandun-notify``: a message ``playbook.notice`` to the webhook targets. Gives ``notified``, the number of targets.

It goes into the outbox in the transaction of the act: delivery, retries and signatures are the sender's.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.webhooks.outbox import announce
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction, cut
from playbooks.actions.parameters import NotifyParameters

EVENT = "playbook.notice"
_ABOUT = ("alert", "incident", "ticket", "warning")


class NotifyAction(OwnAction[NotifyParameters]):
    """The action."""

    kind = "liandun-notify"

    def told(self, given: NotifyParameters) -> Plan:
        whom = f"webhook targets of level {given.level} and below" if given.level else "all webhook targets"
        return Plan(f"tell {whom}: {cut(given.subject, 120)}", ("webhooks",))

    def act(self, session: Session, who: Principal, given: NotifyParameters) -> dict[str, str]:
        about = {f"{name}_id": getattr(given, name) for name in _ABOUT if getattr(given, name)}
        message = {"subject": cut(given.subject, 200), "text": given.text, "level": given.level, "by": who.name}
        reached = announce(session, EVENT, message | about, level=given.level)
        audit.append(session, who.actor, EVENT, "webhook", "", detail={"subject": message["subject"], "targets": reached} | about)
        return {"notified": str(reached)}
