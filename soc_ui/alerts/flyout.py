"""The flyout beside the queue: one alert in short, so that the list, its place and its selection stay."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from operations.accounts.service import assignable
from operations.alerts import service
from operations.incidents.reading import incident_of_alert
from operations.zones import service as zones
from soc_ui import access
from soc_ui.alerts import rule_source
from soc_ui.alerts.cards import cards
from soc_ui.alerts.known import known_indicators
from soc_ui.alerts.views import page
from soc_ui.preferences import local_path
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

SIMILAR = 5
MOST_ENTITIES = 12
alert_flyout = Blueprint("alert_flyout", __name__)


@alert_flyout.get("/alerts/<int:alert_id>/flyout")
@access.needs("alerts.read")
def part(alert_id: int) -> str:
    """A part of a page for our script; whoever opens it by hand gets the page of the alert. ``next``: the list to come back to."""
    if "HX-Request" not in request.headers:
        return page(alert_id)
    with services().database.read() as session:
        detail = service.get_detail(session, alert_id)
        plan = [record.zone for record in zones.list_zones(session)]
        context = {
            "alike": service.similar_alerts(session, detail.alert, detail.entities, limit=SIMILAR),
            "merged": service.merged_into(session, alert_id),
            "people": assignable(session),
            "known": known_indicators(session, detail.entities[:MOST_ENTITIES]),
            "incident": incident_of_alert(session, alert_id),
            "suppression": service.suppression_of(session, detail.alert.suppressed_by),
            "zone_name": ZoneNames(plan),
            "cards": cards(session, detail.entities[:MOST_ENTITIES], {zone.id: zone for zone in plan}),
        }
    return render_template(
        "alerts/flyout.html", detail=detail, alert=detail.alert, entities=detail.entities[:MOST_ENTITIES],
        mark_value=rule_source.mark_value, back=local_path(request.args.get("next", "/alerts")), **context,
    )  # fmt: skip
