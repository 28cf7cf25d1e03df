"""``liandun-evidence-packets``: the packets between the two ends of an alert, out of the kept captures, sealed as evidence of an
incident (operations.incidents.evidence). Gives ``evidence_id`` and ``evidence_sm3``.

Where the packets come from is handed in: this room knows no collectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts.schema import Principal
from operations.alerts.models import Alert
from operations.errors import Conflict
from operations.incidents import evidence
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.own import OwnCommand, inside_only
from playbooks.actions.parameters import EvidencePacketsParameters
from playbooks.variables import Value

BEFORE, AFTER = 60, 300
"""Seconds before the first and after the last event of the alert."""


class Conversation(msgspec.Struct, frozen=True):
    """Between whom and when (@timestamp text), both directions."""

    source: str
    target: str
    start: str
    end: str


PacketSource: TypeAlias = Callable[[Conversation], tuple[bytes, str]]
"""The packets as one pcap (empty = none), and what was cut off ("" = nothing). May take half a minute. Raises LiandunError."""


def no_packets(conversation: Conversation) -> tuple[bytes, str]:
    """Where no captures are kept."""
    return b"", ""


class EvidencePacketsAction(OwnCommand[EvidencePacketsParameters]):
    """The action. The packets are cut out before the transaction begins: nobody waits for it to write."""

    kind = "liandun-evidence-packets"

    def __init__(self, database: Database | None, key: MasterKey | None = None, packets: PacketSource = no_packets) -> None:
        super().__init__(database)
        self._key = key
        self._packets = packets

    def told(self, given: EvidencePacketsParameters) -> Plan:
        line = f"seal the packets of alert {given.alert} as evidence of incident {given.incident}"
        return Plan(line, (f"alert {given.alert}", f"incident {given.incident}"))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Cut out and seal, unless this very request was done before. Raises ActionError."""
        given = self.given(request)
        context.left()
        if self._database is None or self._key is None:
            raise inside_only()
        with self._database.read() as session:
            conversation = conversation_of(session, given.alert)
        try:
            pcap, cut = self._packets(conversation)
        except LiandunError as error:
            raise ActionError(f"the captures could not be read: {error}", again=True) from error
        key = self._key
        return self.once(request, context, lambda session, who: _sealed(session, who, key, given, conversation, pcap, cut))


def _sealed(
    session: Session, who: Principal, key: MasterKey, given: EvidencePacketsParameters, between: Conversation, pcap: bytes, cut: str
) -> dict[str, str]:
    if not pcap:
        raise Conflict("there are no packets of this conversation in the kept captures", "were its sensors running?")
    origin = f"captures, {between.source} – {between.target}" + (f" (cut off by: {cut})" if cut else "")
    record = evidence.seal(
        session, key, who.actor, given.incident, f"alert-{given.alert}.pcap", pcap, reason=given.reason, origin=origin[:200]
    )
    return {"evidence_id": str(record.id), "evidence_sm3": record.sm3}


def conversation_of(session: Session, alert_id: int) -> Conversation:
    """Who talked to whom, by the alert. Raises ActionError where it names no two addresses."""
    columns = Alert.source_ip, Alert.destination_ip, Alert.first_seen, Alert.last_seen
    row = session.execute(select(*columns).where(Alert.id == alert_id)).first()
    if row is None:
        raise ActionError(f"there is no alert {alert_id}", code="NOT_FOUND")
    source, target, first, last = row
    if not source or not target:
        raise ActionError(f"alert {alert_id} does not tell of two addresses", code="NO_CONVERSATION")
    return Conversation(source, target, clock.shift(first, -BEFORE), clock.shift(last, AFTER))
