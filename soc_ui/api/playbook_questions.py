"""``/api/v1/questions``: what runs of playbooks ask of people."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.errors import Invalid
from playbooks.run import questions
from soc_ui.api import playbook_schemas as schemas
from soc_ui.api.guard import caller, fresh, permit, permit_any
from soc_ui.api.playbooks import values_of
from soc_ui.services import services

playbook_questions = APIBlueprint("api_playbook_questions", __name__, url_prefix="/api/v1/questions", tag="playbooks")
Body = dict[str, Any]


@playbook_questions.get("")
@permit(playbook_questions, "playbooks.read")
@playbook_questions.input(schemas.QuestionListIn, location="query", unknown=RAISE)
@playbook_questions.output(schemas.QuestionPageOut)
def list_questions(query_data: Body) -> Body:
    """List open questions

    The oldest first.
    """
    cursor, limit = query_data["cursor"] or "0", query_data["limit"]
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    kinds = (query_data["kind"],) if query_data["kind"] else ()
    with services().database.read() as session:
        found = questions.open_questions(session, kinds=kinds, run_id=query_data["run_id"], after=int(cursor), limit=limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else ""
    return {"questions": msgspec.to_builtins(found[:limit]), "next_cursor": following}


@playbook_questions.get("/<int:number>")
@permit(playbook_questions, "playbooks.read")
@playbook_questions.output(schemas.QuestionOut)
@playbook_questions.doc(responses=[404])
def get_question(number: int) -> Body:
    """Read one question

    Also when it is closed.
    """
    with services().database.read() as session:
        found: Body = msgspec.to_builtins(questions.question(session, number))
    return found


@playbook_questions.post("/<int:number>/approval")
@permit(playbook_questions, "playbooks.approve")
@playbook_questions.input(schemas.ApprovalIn)
@playbook_questions.output(schemas.QuestionOut)
@playbook_questions.doc(responses=[404, 409])
def approve(number: int, json_data: Body) -> Body:
    """Agree to a request, or refuse it

    To exactly the request of the digest. By a person with a fresh proof of who they are, not by a key.
    """
    fresh()
    with services().database.write() as session:
        found: Body = msgspec.to_builtins(
            questions.approve(
                session, caller(), number, digest=json_data["digest"], yes=json_data["agree"], comment=json_data["comment"]
            )
        )
    return found


@playbook_questions.post("/<int:number>/answer")
@permit_any(playbook_questions, "playbooks.run", "playbooks.approve")
@playbook_questions.input(schemas.AnswerIn)
@playbook_questions.output(schemas.QuestionOut)
@playbook_questions.doc(responses=[404, 409])
def answer(number: int, json_data: Body) -> Body:
    """Say that something was done by hand

    With the values that the step asks for; or that it could not be done.
    """
    json_data["variables"] = values_of(json_data["variables"])
    _proof(number)
    with services().database.write() as session:
        found: Body = msgspec.to_builtins(questions.answer(session, caller(), number, **json_data))
    return found


@playbook_questions.post("/<int:number>/decision")
@permit_any(playbook_questions, "playbooks.run", "playbooks.approve")
@playbook_questions.input(schemas.DecisionIn)
@playbook_questions.output(schemas.QuestionOut)
@playbook_questions.doc(responses=[404, 409])
def decide(number: int, json_data: Body) -> Body:
    """Decide on an unknown outcome

    Whether a command that a crash interrupted was done, shall run again, or failed.
    """
    json_data["variables"] = values_of(json_data["variables"])
    _proof(number)
    with services().database.write() as session:
        found: Body = msgspec.to_builtins(questions.decide(session, caller(), number, **json_data))
    return found


def _proof(number: int) -> None:
    """An answer that is an approval, too, needs a person with a fresh proof."""
    with services().database.read() as session:
        if not questions.question(session, number).own:
            fresh()
