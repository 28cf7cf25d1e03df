"""Forms of the summary: change, acknowledge, decide, phase, pause, merge, alerts."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from operations.incidents import service
from operations.incidents.schema import Change, Decision
from soc_ui import access, times
from soc_ui.incidents.one import act
from soc_ui.incidents.views import organisations
from soc_ui.numbers import row_id

incident_acts = Blueprint("incident_acts", __name__, url_prefix="/incidents/<int:incident_id>")
Answer = Response | tuple[str, int]


def version() -> int:
    """The version that the form was made from; a form without one is stale."""
    return request.form.get("version", 0, row_id)


@incident_acts.post("/change")
@access.needs("incidents.write")
def change(incident_id: int) -> Answer:
    """Fields of the incident."""
    form = request.form

    def wanted() -> Change:
        return Change(
            title=form.get("title", ""),
            description=form.get("description", ""),
            reporter=form.get("reporter", ""),
            severity=form.get("severity", ""),
            operator=form.get("operator", ""),
            assignee=form.get("assignee", ""),
            zones=tuple(form.getlist("zones")),
            organisations=organisations(form.get("organisations", "")),
            occurred_at=times.typed(form.get("occurred_at", "")),
            detected_at=times.typed(form.get("detected_at", "")),
        )

    return act(
        incident_id, "summary",
        lambda session: service.change_incident(session, access.me().actor, incident_id, wanted(), expected_version=version()),
    )  # fmt: skip


@incident_acts.post("/acknowledge")
@access.needs("incidents.write")
def acknowledge(incident_id: int) -> Answer:
    """Take it."""
    me = access.me()
    return act(
        incident_id,
        "summary",
        lambda session: service.acknowledge(session, me.actor, incident_id, me.name, expected_version=version()),
    )


@incident_acts.post("/decide")
@access.needs("incidents.decide")
def decide(incident_id: int) -> Answer:
    """Class and level."""
    form = request.form
    names = ("class_code", "object", "loss", "harm", "reason")
    wanted = Decision(**{name: form.get(name, "") for name in names}, level=form.get("level", 0, row_id))
    return act(
        incident_id,
        "summary",
        lambda session: service.decide(session, access.me().actor, incident_id, wanted, expected_version=version()),
    )


@incident_acts.post("/phase")
@access.needs("incidents.write")
def phase(incident_id: int) -> Answer:
    """Another phase; closing and opening again for those who may decide."""
    form, me = request.form, access.me()
    return act(
        incident_id,
        "summary",
        lambda session: service.move(
            session,
            me.actor,
            incident_id,
            form.get("phase", ""),
            reason=form.get("reason", ""),
            cause=form.get("cause", ""),
            may_close=me.may("incidents.decide"),
            expected_version=version(),
        ),
    )


@incident_acts.post("/pause")
@access.needs("incidents.write")
def pause(incident_id: int) -> Answer:
    """The SLA clocks stand still."""
    why = request.form.get("reason", "")
    return act(
        incident_id,
        "summary",
        lambda session: service.pause(session, access.me().actor, incident_id, why, expected_version=version()),
    )


@incident_acts.post("/resume")
@access.needs("incidents.write")
def resume(incident_id: int) -> Answer:
    """They run again."""
    return act(
        incident_id,
        "summary",
        lambda session: service.resume(session, access.me().actor, incident_id, expected_version=version()),
    )


@incident_acts.post("/merge")
@access.needs("incidents.write")
def merge(incident_id: int) -> Answer:
    """Another incident becomes part of this one."""
    other = request.form.get("other", 0, row_id)
    return act(
        incident_id,
        "summary",
        lambda session: service.merge(session, access.me().actor, incident_id, other, expected_version=version()),
    )


@incident_acts.post("/alerts/remove")
@access.needs("incidents.write")
def remove_alert(incident_id: int) -> Answer:
    """An alert does not belong to it."""
    alert = request.form.get("alert", 0, row_id)
    return act(
        incident_id,
        "summary",
        lambda session: service.remove_alert(session, access.me().actor, incident_id, alert, expected_version=version()),
    )
