"""``/api/v1/services``: the catalogue, and what bureaus applied for."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.services import service
from operations.services.catalogue import CATALOGUE
from operations.services.listing import find
from operations.services.schema import ApplicationFilter, TermsRecord
from operations.services.terms import set_terms, terms_of
from soc_ui.api import service_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.preconditions import require
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import means, services

service_desk = APIBlueprint("api_services", __name__, url_prefix="/api/v1/services", tag="services")
Body = dict[str, Any]


@service_desk.get("")
@permit(service_desk, "services.read")
@service_desk.output(schemas.CatalogueOut)
def catalogue() -> Body:
    """List the services

    With the form of each, and its periods.
    """
    with services().database.read() as session:
        return {
            "services": [msgspec.to_builtins(one) | {"terms": msgspec.to_builtins(terms_of(session, one.id))} for one in CATALOGUE]
        }


@service_desk.get("/<service_id>/terms")
@permit(service_desk, "services.read")
@service_desk.output(schemas.TermsOut)
@service_desk.doc(responses=[404])
def get_terms(service_id: str) -> tuple[Body, int, dict[str, str]]:
    """Read the periods of a service"""
    with services().database.read() as session:
        record = terms_of(session, service_id)
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}


@service_desk.put("/<service_id>/terms")
@permit(service_desk, "services.handle")
@service_desk.input(IfMatchIn, location="headers")
@service_desk.input(schemas.TermsIn)
@service_desk.output(schemas.TermsOut)
@service_desk.doc(responses=[404, 412, 428])
def put_terms(service_id: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Set the periods of a service

    Steps that have begun keep their deadlines.
    """
    with services().database.write() as session:
        version = terms_of(session, service_id).version
        require(headers_data["if_match"], version)
        record = set_terms(session, caller().actor, TermsRecord(service=service_id, version=version, **json_data))
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}


@service_desk.post("/<service_id>/applications")
@permit(service_desk, "services.apply")
@service_desk.input(schemas.ApplicationIn)
@service_desk.output(schemas.ApplicationOut, status_code=201)
@service_desk.doc(responses=[403, 409])
def apply(service_id: str, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Apply for a service

    For the organisation of the caller's scope.
    """
    with services().database.write() as session:
        row = service.apply(session, caller(), service_id, json_data["form"], bureau=json_data["bureau"])
    return msgspec.to_builtins(row), 201, {"ETag": f'"{row.version}"'}


@service_desk.get("/applications")
@permit(service_desk, "services.read")
@service_desk.input(schemas.ApplicationListIn, location="query", unknown=RAISE)
@service_desk.output(schemas.ApplicationPageOut)
def list_applications(query_data: Body) -> Body:
    """List applications

    Last changed first. A bureau sees its own, and those that name a zone of its.
    """
    where = ApplicationFilter(
        **{name: query_data[name] for name in ("state", "service", "bureau", "open", "overdue")},
        mine=caller().name if query_data["mine"] else "",
    )
    with services().database.read() as session:
        page = service.list_applications(session, where, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"applications": msgspec.to_builtins(page.applications), "next_cursor": page.cursor}


@service_desk.get("/applications/<int:application_id>")
@permit(service_desk, "services.read")
@service_desk.output(schemas.ApplicationDetailOut)
@service_desk.doc(responses=[404])
def get_application(application_id: int) -> tuple[Body, int, dict[str, str]]:
    """Read one application

    With its form, what was granted and the history. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        detail = service.get_detail(session, caller(), application_id)
    return msgspec.to_builtins(detail), 200, {"ETag": f'"{detail.application.version}"'}


@service_desk.post("/applications/<int:application_id>/acts")
@permit(service_desk, "services.read")
@service_desk.input(IfMatchIn, location="headers")
@service_desk.input(schemas.ApplicationActIn)
@service_desk.output(schemas.ApplicationOut)
@service_desk.doc(responses=[403, 404, 409, 412, 428])
def act(application_id: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Handle an application

    Accept, issue, confirm as second person, reject (services.handle); withdraw, give back (services.apply): `acts` says what the
    caller may do now.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        if version not in (None, find(session, application_id, for_update=True).version):
            raise Problem(412, "it was changed by somebody else", "read it again and decide once more")
        row = service.act(session, caller(), application_id, json_data["act"], json_data["note"], means=means())
    return msgspec.to_builtins(row), 200, {"ETag": f'"{row.version}"'}


@service_desk.post("/applications/<int:application_id>/renewals")
@permit(service_desk, "services.apply")
@service_desk.input(schemas.RenewalIn)
@service_desk.output(schemas.ApplicationOut, status_code=201)
@service_desk.doc(responses=[403, 404, 409])
def renew(application_id: int, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Apply for more time"""
    with services().database.write() as session:
        row = service.renew(session, caller(), application_id, json_data["reason"], json_data["days"])
    return msgspec.to_builtins(row), 201, {"ETag": f'"{row.version}"'}
