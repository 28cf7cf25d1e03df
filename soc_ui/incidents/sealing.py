"""Sealing the events of an incident's alerts, for the page and the API."""

from __future__ import annotations

from crypto.secret import MasterKey
from operations.audit.schema import Actor
from operations.incidents import service
from operations.incidents.schema import EvidenceRecord
from soc_ui.services import services


def seal_events(actor: Actor, incident_id: int, reason: str, key: MasterKey) -> EvidenceRecord:
    """The events are collected first, so that nobody waits for the event store with a write transaction open."""
    with services().database.read() as session:
        payload, events, left_out = service.collect(session, services().store, incident_id)
    told = {"reason": reason, "origin": "event store"}
    with services().database.write() as session:
        return service.seal(session, key, actor, incident_id, "events.jsonl", payload, **told, events=events, left_out=left_out)
