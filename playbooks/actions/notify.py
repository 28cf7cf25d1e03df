"""``liandun-notify``: a message ``playbook.notice`` to the webhook targets. Gives ``notified``, the number of targets.

It goes into the outbox in the transaction of the act: delivery, retries and signatures are the sender's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.webhooks.outbox import announce
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction, cut
from playbooks.actions.parameters import NotifyParameters

EVENT = "playbook.notice"
_ABOUT = ("alert", "incident", "ticket", "warning")
_PLACES = ("zones", "organisations")


class NotifyAction(OwnAction[NotifyParameters]):
    """The action."""

    kind = "liandun-notify"

    def told(self, given: NotifyParameters) -> Plan:
        level = f" ({given.level})" if given.level else ""
        return Plan(f"tell the webhook targets{level}: {cut(given.subject, 120)}", ("webhooks",))

    def act(self, session: Session, who: Principal, given: NotifyParameters) -> dict[str, str]:
        about: dict[str, Any] = {f"{name}_id": getattr(given, name) for name in _ABOUT if getattr(given, name)}
        about |= {name: places for name in _PLACES if (places := [one for one in getattr(given, name) if one])}
        message = {"subject": cut(given.subject, 200), "text": given.text, "level": given.level, "by": who.name}
        reached = announce(session, EVENT, message | about, level=given.level)
        audit.append(session, who.actor, EVENT, "webhook", "", detail={"subject": message["subject"], "targets": reached} | about)
        return {"notified": str(reached)}
