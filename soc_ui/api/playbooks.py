"""``/api/v1/playbooks``: the shelf of playbooks, their versions, and starting runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE
from sqlalchemy.orm import Session

from operations.errors import Invalid
from playbooks.check import is_right
from playbooks.problems import PlaybookError
from playbooks.reading import read
from playbooks.run import listing
from playbooks.shelf import service
from playbooks.shelf.schema import ShelfFilter
from playbooks.variables import Value
from soc_ui.api import playbook_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, fresh, permit, permit_any
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Paging
from soc_ui.services import services

playbooks = APIBlueprint("api_playbooks", __name__, url_prefix="/api/v1/playbooks", tag="playbooks")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]
MOST_TOLD = 100


@playbooks.get("")
@permit(playbooks, "playbooks.read")
@playbooks.input(schemas.PlaybookListIn, location="query", unknown=RAISE)
@playbooks.output(schemas.PlaybookPageOut)
def list_playbooks(query_data: Body) -> Body:
    """List playbooks

    By name.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = service.listing(session, ShelfFilter(**query_data), after=cursor, limit=limit)
    return {"playbooks": msgspec.to_builtins(page.playbooks), "next_cursor": page.cursor}


@playbooks.post("")
@permit(playbooks, "playbooks.edit")
@playbooks.input(schemas.PlaybookSaveIn)
@playbooks.output(schemas.PlaybookVersionOut, status_code=201)
@playbooks.doc(responses=[409])
def save(json_data: Body) -> tuple[Body, int]:
    """Save a version

    Of a playbook that is there (base), or of a new one. Nothing comes into force by this.
    """
    document = json_data.pop("document").encode()
    with _explained(), services().database.write() as session:
        made = service.save(session, caller(), document, **json_data)
    return msgspec.to_builtins(made), 201


@playbooks.post("/check")
@permit(playbooks, "playbooks.read")
@playbooks.input(schemas.DocumentIn)
@playbooks.output(schemas.CheckOut)
def check(json_data: Body) -> Body:
    """Check a document

    Says everything that is wrong with it, each with its place. Keeps nothing.
    """
    try:
        playbook = read(json_data["document"].encode())
    except PlaybookError as error:
        return {"runnable": False, "problems": msgspec.to_builtins(error.problems)}
    with services().database.read() as session:
        problems = service.problems_of(session, playbook, in_force=False)
    return {"runnable": is_right(problems), "problems": msgspec.to_builtins(problems)}


@playbooks.get("/<playbook_id>")
@permit(playbooks, "playbooks.read")
@playbooks.output(schemas.PlaybookOut)
@playbooks.doc(responses=[404])
def get_playbook(playbook_id: str) -> Answer:
    """Read one playbook"""
    with services().database.read() as session:
        return _answer(service.get(session, playbook_id))


@playbooks.patch("/<playbook_id>")
@permit_any(playbooks, "playbooks.release", "playbooks.edit")
@playbooks.input(IfMatchIn, location="headers")
@playbooks.input(schemas.SwitchIn)
@playbooks.output(schemas.PlaybookOut)
@playbooks.doc(responses=[404, 412, 428])
def switch(playbook_id: str, headers_data: Body, json_data: Body) -> Answer:
    """Switch a playbook on or off

    Switching on needs playbooks.release.
    """
    revision = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.set_enabled(session, caller(), playbook_id, json_data["enabled"], revision))


@playbooks.post("/<playbook_id>/release")
@permit(playbooks, "playbooks.release")
@playbooks.input(IfMatchIn, location="headers")
@playbooks.input(schemas.ReleaseIn)
@playbooks.output(schemas.PlaybookOut)
@playbooks.doc(responses=[404, 409, 412, 428])
def release(playbook_id: str, headers_data: Body, json_data: Body) -> Answer:
    """Put a version in force

    Not by the person who saved it. Needs a fresh proof of who you are.
    """
    fresh()
    revision = expected_version(headers_data["if_match"])
    with _explained(), services().database.write() as session:
        return _answer(service.release(session, caller(), playbook_id, json_data["number"], revision))


@playbooks.get("/<playbook_id>/versions")
@permit(playbooks, "playbooks.read")
@playbooks.input(Paging, location="query", unknown=RAISE)
@playbooks.output(schemas.PlaybookVersionsOut)
@playbooks.doc(responses=[404])
def list_versions(playbook_id: str, query_data: Body) -> Body:
    """List versions

    Newest first.
    """
    with services().database.read() as session:
        page = service.versions(session, playbook_id, after=query_data["cursor"], limit=query_data["limit"])
    return {"versions": msgspec.to_builtins(page.versions), "next_cursor": page.cursor}


@playbooks.get("/<playbook_id>/versions/<int:number>")
@permit(playbooks, "playbooks.read")
@playbooks.output(schemas.PlaybookVersionOut)
@playbooks.doc(responses=[404])
def get_version(playbook_id: str, number: int) -> Body:
    """Read one version"""
    with services().database.read() as session:
        found: Body = msgspec.to_builtins(service.version(session, playbook_id, number))
    return found


@playbooks.get("/<playbook_id>/versions/<int:number>/document")
@permit(playbooks, "playbooks.read")
@playbooks.doc(responses={200: {"description": "The document", "content": {"application/json": {}}}, 404: {}})
def get_document(playbook_id: str, number: int) -> Response:
    """Read the document of a version

    Octet for octet as it was saved, with its signatures.
    """
    with services().database.read() as session:
        return Response(service.document(session, playbook_id, number), mimetype="application/json")


@playbooks.get("/<playbook_id>/difference")
@permit(playbooks, "playbooks.read")
@playbooks.input(schemas.DifferenceIn, location="query", unknown=RAISE)
@playbooks.output(schemas.DifferenceOut)
@playbooks.doc(responses=[404])
def difference(playbook_id: str, query_data: Body) -> Body:
    """Compare two versions"""
    with services().database.read() as session:
        old, new = (service.document(session, playbook_id, query_data[name]) for name in ("old", "new"))
    return {"changes": msgspec.to_builtins(service.difference(old, new))}


@playbooks.get("/<playbook_id>/start")
@permit(playbooks, "playbooks.run")
@playbooks.input(schemas.StartFormIn, location="query")
@playbooks.output(schemas.StartFormOut)
@playbooks.doc(responses=[404])
def start_form(playbook_id: str, query_data: Body) -> Body:
    """Read what a start asks for

    Filled in with what is known of the subject; without one, with what the playbook itself has.
    """
    with services().database.read() as session:
        playbook = read(service.document(session, playbook_id))
        fields = service.start_form(session, playbook, query_data["kind"], query_data["id"])
    return {"fields_": msgspec.to_builtins(fields)}


@playbooks.post("/<playbook_id>/runs")
@permit(playbooks, "playbooks.run")
@playbooks.input(schemas.StartIn)
@playbooks.output(schemas.RunDetailOut, status_code=201)
@playbooks.doc(responses=[404, 409])
def start(playbook_id: str, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Start a playbook

    The version in force. What changes a system asks people first.
    """
    subject, key = json_data["subject"], json_data["request_key"]
    variables = values_of(json_data["variables"])
    with services().database.write() as session:
        cause: Body = {"kind": "api"}
        if subject:
            cause = {"kind": subject["kind"], "id": _id_of(**subject)}
            known = service.facts_of(session, subject["kind"], subject["id"])
            variables = _prefilled(session, playbook_id, known) | variables if json_data["prefill"] else variables
        mine = f"api:{caller().user_id}:{key}" if key else ""
        run_id = service.start(session, caller(), playbook_id, variables, cause, mine)
    with services().database.read() as session:
        found = msgspec.to_builtins(listing.get_run(session, run_id))
    return found, 201, {"Location": f"/api/v1/runs/{run_id}"}


def _prefilled(session: Session, playbook_id: str, known: Mapping[str, str]) -> dict[str, Value]:
    """Of what is known, what the playbook asks for."""
    asked = read(service.document(session, playbook_id)).playbook_variables
    return {name: value for name, value in known.items() if name in asked and asked[name].external}


def values_of(given: Mapping[str, Any]) -> dict[str, Value]:
    """Raises Invalid for what no variable can hold."""
    for name, value in given.items():
        if not (value is None or isinstance(value, str | dict)):
            raise Invalid("a value is text, an object or null", "write numbers and booleans as text", field=name[:250])
    return dict(given)


def _id_of(kind: str, id: str) -> int | str:
    return int(id) if kind != "asset" and id.isascii() and id.isdecimal() else id


@contextmanager
def _explained() -> Iterator[None]:
    """A document that is refused is told with all its problems."""
    try:
        yield
    except PlaybookError as error:
        told = error.problems[:MOST_TOLD]
        errors = {one.path or "document": [one.message] for one in told}
        raise Problem(422, error.message, errors=errors, problems=msgspec.to_builtins(told)) from error


def _answer(record: Any) -> Answer:
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.revision}"'}
