"""``liandun-indicator-add``: watch for a value from now on. Gives ``indicator_id``.

A value that is watched for already by this origin is no failure: its number comes back. One that would ring for everybody (the
city's own addresses, names of public services) is refused as it is refused to people.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.indicators.values import guessed, written
from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Conflict
from operations.indicators import service as indicators
from operations.indicators.models import IndicatorRow
from operations.indicators.schema import Candidate
from playbooks.actions.contract import Plan
from playbooks.actions.own import OwnAction
from playbooks.actions.parameters import IndicatorAddParameters

ORIGIN = "playbook"
_DAY = 86_400


class IndicatorAddAction(OwnAction[IndicatorAddParameters]):
    """The action."""

    kind = "liandun-indicator-add"

    def told(self, given: IndicatorAddParameters) -> Plan:
        return Plan(f"watch for {given.value[:120]} (confidence {given.confidence})", (given.value[:200],))

    def act(self, session: Session, who: Principal, given: IndicatorAddParameters) -> dict[str, str]:
        candidate = Candidate(
            value=given.value,
            kind=given.kind,
            tlp=given.tlp,
            note=given.note,
            reference=given.reference,
            valid_until=clock.shift(clock.now(), given.days * _DAY) if given.days else "",
        )
        try:
            number = indicators.add(session, who.actor, candidate, origin=ORIGIN, confidence=given.confidence).id
        except Conflict:
            value = written(given.kind, given.value) if given.kind else guessed(given.value)
            same = (IndicatorRow.kind == value.kind, IndicatorRow.value == value.text, IndicatorRow.origin == ORIGIN)
            number = session.execute(select(IndicatorRow.id).where(*same)).scalar_one()
        return {"indicator_id": str(number)}
