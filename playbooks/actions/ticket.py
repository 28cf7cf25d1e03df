"""``liandun-ticket``: a ticket to a bureau or to the operator. Gives ``ticket_id``."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.tickets import service as tickets
from operations.tickets.schema import Draft, Link
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction, cut
from playbooks.actions.parameters import TicketParameters


class TicketAction(OwnAction[TicketParameters]):
    """The action."""

    kind = "liandun-ticket"

    def told(self, given: TicketParameters) -> Plan:
        to = given.bureau or "the operator"
        return Plan(
            f"open a {given.kind} ticket ({given.level}) to {to}: {cut(given.title, 120)}", ("tickets", *filter(None, given.zones))
        )

    def act(self, session: Session, who: Principal, given: TicketParameters) -> dict[str, str]:
        links = (("alert", given.alert), ("incident", given.incident), ("warning", given.warning))
        draft = Draft(
            kind=given.kind,
            title=cut(given.title, tickets.MAX_TITLE),
            body=given.body,
            level=given.level,
            bureau=given.bureau,
            assignee=given.assignee,
            due_at=clock.shift(clock.now(), given.due_hours * 3600) if given.due_hours else "",
            zones=tuple(filter(None, given.zones)),
            links=tuple(Link(kind, str(number)) for kind, number in links if number),
        )
        return {"ticket_id": str(tickets.create(session, who, draft).id)}
