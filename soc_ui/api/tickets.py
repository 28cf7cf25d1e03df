"""``/api/v1/tickets``: remediation and notification between the operator and the bureaus."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from operations.errors import Conflict
from operations.tickets import service
from operations.tickets.schema import Act, Draft, Link, TicketFilter
from soc_ui.api import ticket_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

tickets = APIBlueprint("api_tickets", __name__, url_prefix="/api/v1/tickets", tag="tickets")
Body = dict[str, Any]


@tickets.get("")
@permit(tickets, "tickets.read")
@tickets.input(schemas.TicketListIn, location="query", unknown=RAISE)
@tickets.output(schemas.TicketPageOut)
def list_tickets(query_data: Body) -> Body:
    """List tickets

    Last changed first, or what is due first. A bureau sees those from it, to it, and those that name a zone of its.
    """
    kind, _, value = query_data["about"].partition(":")
    where = TicketFilter(
        **{name: query_data[name] for name in ("state", "kind", "level", "bureau", "overdue", "text")},
        mine=caller().name if query_data["mine"] else "",
        link=Link(kind, value) if kind else None,
    )
    with services().database.read() as session:
        page = service.list_tickets(session, where, sort=query_data["sort"], limit=query_data["limit"], cursor=query_data["cursor"])
        boxes, hidden = service.count_boxes(session, where), service.count_hidden(session, where.state)
    return {"tickets": msgspec.to_builtins(page.tickets), "next_cursor": page.cursor, "boxes": boxes, "hidden": hidden}


@tickets.post("")
@permit(tickets, "tickets.write")
@tickets.input(schemas.TicketIn)
@tickets.output(schemas.TicketOut, status_code=201)
@tickets.doc(responses=[403])
def create_ticket(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Open a ticket

    From the operator to a bureau, or from a bureau to the operator.
    """
    links = tuple(Link(**one) for one in json_data.pop("links"))
    zones = tuple(json_data.pop("zones"))
    with services().database.write() as session:
        row = service.create(session, caller(), Draft(**json_data, zones=zones, links=links))
    return msgspec.to_builtins(row), 201, {"ETag": f'"{row.version}"'}


@tickets.get("/<int:ticket_id>")
@permit(tickets, "tickets.read")
@tickets.output(schemas.TicketDetailOut)
@tickets.doc(responses=[404])
def get_ticket(ticket_id: int) -> tuple[Body, int, dict[str, str]]:
    """Read one ticket

    With its receipts, attachments and history. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        detail = service.get_detail(session, caller(), ticket_id)
    return msgspec.to_builtins(detail), 200, {"ETag": f'"{detail.ticket.version}"'}


@tickets.post("/<int:ticket_id>/acts")
@permit(tickets, "tickets.write")
@tickets.input(IfMatchIn, location="headers")
@tickets.input(schemas.TicketActIn)
@tickets.output(schemas.TicketOut)
@tickets.doc(responses=[403, 404, 412, 428])
def act(ticket_id: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Do something with a ticket

    Sign for it, take it, finish it, send it back, transfer, delegate, edit, close: `acts` of the ticket says what is possible now.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            row = service.act(session, caller(), ticket_id, Act(**json_data), expected_version=version)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(row), 200, {"ETag": f'"{row.version}"'}


@tickets.post("/<int:ticket_id>/comments")
@permit(tickets, "tickets.write")
@tickets.input(schemas.CommentIn)
@tickets.output({}, status_code=204)
@tickets.doc(responses=[404])
def add_comment(ticket_id: int, json_data: Body) -> Response:
    """Comment on a ticket"""
    with services().database.write() as session:
        service.add_comment(session, caller(), ticket_id, json_data["note"])
    return Response(status=204)


@tickets.post("/<int:ticket_id>/attachments")
@permit(tickets, "tickets.write")
@tickets.input(schemas.AttachmentIn)
@tickets.output(schemas.AttachmentMadeOut, status_code=201)
@tickets.doc(responses=[404])
def add_attachment(ticket_id: int, json_data: Body) -> Body:
    """Attach a text"""
    with services().database.write() as session:
        return {"id": service.add_attachment(session, caller(), ticket_id, json_data["name"], json_data["text"])}


@tickets.get("/<int:ticket_id>/attachments/<int:attachment_id>")
@permit(tickets, "tickets.read")
@tickets.output(schemas.AttachmentTextOut)
@tickets.doc(responses=[404])
def get_attachment(ticket_id: int, attachment_id: int) -> Body:
    """Read an attachment"""
    with services().database.read() as session:
        name, text = service.get_attachment(session, ticket_id, attachment_id)
    return {"name": name, "text": text}
