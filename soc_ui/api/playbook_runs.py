"""``/api/v1/runs``: runs of playbooks, and their journals."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.errors import Invalid
from playbooks.run import journal, listing, steering
from playbooks.run.listing import RunFilter
from soc_ui.api import playbook_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import Paging
from soc_ui.services import services

playbook_runs = APIBlueprint("api_playbook_runs", __name__, url_prefix="/api/v1/runs", tag="playbooks")
Body = dict[str, Any]
ACCEPTED = 202


@playbook_runs.get("")
@permit(playbook_runs, "playbooks.read")
@playbook_runs.input(schemas.RunListIn, location="query", unknown=RAISE)
@playbook_runs.output(schemas.RunPageOut)
def list_runs(query_data: Body) -> Body:
    """List runs

    Newest first; the state open means: not over.
    """
    where = RunFilter(state=query_data["state"], playbook_id=query_data["playbook_id"], subject=query_data["subject"])
    with services().database.read() as session:
        page = listing.list_runs(session, where, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"runs": msgspec.to_builtins(page.runs), "next_cursor": page.cursor}


@playbook_runs.get("/<int:run_id>")
@permit(playbook_runs, "playbooks.read")
@playbook_runs.output(schemas.RunDetailOut)
@playbook_runs.doc(responses=[404])
def get_run(run_id: int) -> Body:
    """Read one run"""
    with services().database.read() as session:
        found: Body = msgspec.to_builtins(listing.get_run(session, run_id))
    return found


@playbook_runs.get("/<int:run_id>/journal")
@permit(playbook_runs, "playbooks.read")
@playbook_runs.input(Paging, location="query", unknown=RAISE)
@playbook_runs.output(schemas.JournalOut)
@playbook_runs.doc(responses=[404])
def get_journal(run_id: int, query_data: Body) -> Body:
    """Read the journal of a run

    From its beginning; every event with what came of it.
    """
    cursor, limit = query_data["cursor"] or "0", query_data["limit"]
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    with services().database.read() as session:
        listing.get_run(session, run_id)
        lines = journal.lines(session, run_id, after=int(cursor), limit=limit + 1)
    following = str(lines[limit - 1].number) if len(lines) > limit else ""
    return {"lines": msgspec.to_builtins(lines[:limit]), "next_cursor": following}


@playbook_runs.post("/<int:run_id>/cancel")
@permit(playbook_runs, "playbooks.run")
@playbook_runs.input(schemas.ReasonIn)
@playbook_runs.output(schemas.RunDetailOut, status_code=ACCEPTED)
@playbook_runs.doc(responses=[404, 409])
def cancel(run_id: int, json_data: Body) -> tuple[Body, int]:
    """Cancel a run

    Nothing new begins; what is under way may end.
    """
    with services().database.write() as session:
        steering.cancel(session, caller(), run_id, json_data["reason"])
        return msgspec.to_builtins(listing.get_run(session, run_id)), ACCEPTED


@playbook_runs.post("/<int:run_id>/undo")
@permit(playbook_runs, "playbooks.run")
@playbook_runs.output(schemas.RunDetailOut, status_code=ACCEPTED)
@playbook_runs.doc(responses=[404, 409])
def undo(run_id: int) -> tuple[Body, int]:
    """Take back what a run did

    The steps that say how they are taken back, the last one first. The run has to be over.
    """
    with services().database.write() as session:
        steering.undo(session, caller(), run_id)
        return msgspec.to_builtins(listing.get_run(session, run_id)), ACCEPTED


@playbook_runs.get("/<int:run_id>/left")
@permit(playbook_runs, "playbooks.read")
@playbook_runs.output(schemas.LeftPageOut)
@playbook_runs.doc(responses=[404, 409])
def get_left(run_id: int) -> Body:
    """Read what an undo could not take back

    The last act first; empty while the undo goes on, and where nobody asked for one.
    """
    with services().database.read() as session:
        found = steering.left(session, run_id)
    return {
        "left": [
            {
                "visit": one.undo.visit.number,
                "step_id": one.undo.visit.step_id,
                "undo": one.undo.step,
                "code": one.failure.code if one.failure else "",
                "message": one.failure.message if one.failure else "",
            }
            for one in found
        ]
    }


@playbook_runs.post("/<int:run_id>/settle")
@permit(playbook_runs, "playbooks.run")
@playbook_runs.input(schemas.SettleIn)
@playbook_runs.output(schemas.RunDetailOut, status_code=ACCEPTED)
@playbook_runs.doc(responses=[404, 409])
def settle(run_id: int, json_data: Body) -> tuple[Body, int]:
    """Say that something was taken back by hand

    One of what `left` names. With the last one the run becomes `undone`, with the reason `settled by hand`.
    """
    with services().database.write() as session:
        steering.settle(session, caller(), run_id, json_data["visit"], json_data["comment"])
        return msgspec.to_builtins(listing.get_run(session, run_id)), ACCEPTED
