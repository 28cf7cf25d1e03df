"""``liandun-incident-note``: a note or decision in the timeline of an incident. Gives ``incident_number``."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.incidents import timeline
from operations.incidents.reading import get_incident
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import IncidentNoteParameters


class IncidentNoteAction(OwnAction[IncidentNoteParameters]):
    """The action."""

    kind = "liandun-incident-note"

    def told(self, given: IncidentNoteParameters) -> Plan:
        return Plan(
            f"write a {given.kind} of {len(given.text):,} letters into incident {given.incident}", (f"incident {given.incident}",)
        )

    def act(self, session: Session, who: Principal, given: IncidentNoteParameters) -> dict[str, str]:
        timeline.write(session, who.actor, given.incident, given.kind, given.text)
        return {"incident_number": get_incident(session, given.incident).number}
