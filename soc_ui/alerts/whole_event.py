"""The event behind an alert, whole: the alert keeps a copy without the raw record, the event store has all of it."""

from __future__ import annotations

from kernel.event import Event
from operations.accounts.schema import Actor
from operations.alerts import service
from operations.alerts.schema import AlertDetail
from operations.audit import service as audit
from soc_ui.services import services


def whole_event(detail: AlertDetail) -> Event:
    """From the store where it still is, else the alert's copy."""
    event = dict(detail.event)
    if "event.original" in event or not event.get("event.id"):
        return event
    return services().store.get(str(event["event.id"]), str(event.get("@timestamp", ""))) or event


def look_around(actor: Actor, alert_id: int, view: str) -> tuple[AlertDetail, Event]:
    """For a look at the events around an alert, which is in the audit trail like a search. Raises NotFound."""
    with services().database.write() as session:
        detail = service.get_detail(session, alert_id)
        audit.append(session, actor, "events.search", "events", detail={"alert": str(alert_id), "view": view})
    return detail, whole_event(detail)
