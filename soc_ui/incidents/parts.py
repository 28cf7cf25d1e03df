"""Forms of the other tabs: tasks, timeline, indicators, affected assets."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from operations.incidents import service
from operations.incidents.schema import TaskChange
from soc_ui import access, times
from soc_ui.incidents.acts import version
from soc_ui.incidents.one import act
from soc_ui.numbers import row_id

incident_parts = Blueprint("incident_parts", __name__, url_prefix="/incidents/<int:incident_id>")
Answer = Response | tuple[str, int]


@incident_parts.post("/tasks")
@access.needs("incidents.write")
def add_task(incident_id: int) -> Answer:
    """A task by hand."""
    form = request.form
    return act(
        incident_id,
        "tasks",
        lambda session: service.add_task(
            session,
            access.me().actor,
            incident_id,
            form.get("title", ""),
            phase=form.get("phase", ""),
            assignee=form.get("assignee", ""),
            due_at=times.typed(form.get("due_at", "")),
        ),
    )


@incident_parts.post("/tasks/template")
@access.needs("incidents.write")
def use_template(incident_id: int) -> Answer:
    """The tasks of the class."""
    return act(incident_id, "tasks", lambda session: service.use_template(session, access.me().actor, incident_id))


@incident_parts.post("/tasks/<int:task_id>")
@access.needs("incidents.write")
def change_task(incident_id: int, task_id: int) -> Answer:
    """State, assignee, deadline, result; a field that is not sent stays."""
    form = request.form

    def wanted() -> TaskChange:
        given = {name: form[name] for name in ("status", "assignee", "result") if name in form}
        if "due_at" in form:
            given["due_at"] = times.typed(form["due_at"])
        return TaskChange(**given)

    return act(
        incident_id,
        "tasks",
        lambda session: service.change_task(session, access.me().actor, incident_id, task_id, wanted(), expected_version=version()),
    )


@incident_parts.post("/timeline")
@access.needs("incidents.write")
def write(incident_id: int) -> Answer:
    """A note, a decision, an entry about what happened."""
    form = request.form
    return act(
        incident_id,
        "timeline",
        lambda session: service.write(
            session,
            access.me().actor,
            incident_id,
            form.get("kind", "note"),
            form.get("text", ""),
            time=times.typed(form.get("time", "")),
        ),
    )


@incident_parts.post("/indicators")
@access.needs("incidents.write")
def add_indicator(incident_id: int) -> Answer:
    """An indicator by hand."""
    form = request.form
    return act(
        incident_id,
        "indicators",
        lambda session: service.add_indicator(
            session, access.me().actor, incident_id, form.get("kind", ""), form.get("value", ""), note=form.get("note", "")
        ),
    )


@incident_parts.post("/indicators/remove")
@access.needs("incidents.write")
def remove_indicator(incident_id: int) -> Answer:
    """One that is no sign of the attack."""
    number = request.form.get("indicator", 0, row_id)
    return act(incident_id, "indicators", lambda session: service.remove_indicator(session, access.me().actor, incident_id, number))


@incident_parts.post("/indicators/watch")
@access.needs("intel.write")
def watch(incident_id: int) -> Answer:
    """Every event is searched for this one from now on."""
    number = request.form.get("indicator", 0, row_id)
    return act(incident_id, "indicators", lambda session: service.watch(session, access.me().actor, incident_id, number))


@incident_parts.post("/assets")
@access.needs("incidents.write")
def add_asset(incident_id: int) -> Answer:
    """A device or service by hand."""
    form = request.form
    rest = {name: form.get(name, "") for name in ("zone", "layer", "organisation", "impact")}
    return act(
        incident_id,
        "assets",
        lambda session: service.add_asset(
            session, access.me().actor, incident_id, form.get("kind", ""), form.get("name", ""), **rest
        ),
    )


@incident_parts.post("/assets/<int:asset_id>")
@access.needs("incidents.write")
def change_asset(incident_id: int, asset_id: int) -> Answer:
    """How it fares."""
    form = request.form
    return act(
        incident_id,
        "assets",
        lambda session: service.change_asset(
            session,
            access.me().actor,
            incident_id,
            asset_id,
            state=form.get("state", ""),
            impact=form.get("impact", ""),
            expected_version=version(),
        ),
    )
