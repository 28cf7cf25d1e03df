"""``/api/v1/compliance/documents``: policies, procedures and records, with editions, approval and readers."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response
from marshmallow import RAISE

from compliance.documents import covering, editions, readers, service
from compliance.documents.media import MEDIA, MOST_BYTES
from compliance.documents.schema import DocumentDetail, DocumentDraft, DocumentFilter, EditionDraft
from crypto.secret import MasterKey
from soc_ui.api import compliance_document_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.download import as_attachment
from soc_ui.services import services

compliance_documents = APIBlueprint("api_compliance_documents", __name__, url_prefix="/api/v1/compliance", tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]
ONE, EDITION = "/documents/<int:document_id>", "/documents/<int:document_id>/editions/<int:number>"


@compliance_documents.get("/documents")
@permit(compliance_documents, "compliance.read")
@compliance_documents.input(schemas.DocumentListIn, location="query", unknown=RAISE)
@compliance_documents.output(schemas.DocumentPageOut)
def list_documents(query_data: Body) -> Body:
    """List management documents, last changed first"""
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = service.list_documents(session, DocumentFilter(**query_data), limit=limit, cursor=cursor)
        overdue = service.count_overdue(session)
    return {"documents": msgspec.to_builtins(page.documents), "next_cursor": page.cursor, "overdue": overdue}


@compliance_documents.post("/documents")
@permit(compliance_documents, "compliance.write")
@compliance_documents.input(schemas.DocumentIn)
@compliance_documents.output(schemas.DocumentOut, status_code=201)
@compliance_documents.doc(responses=[403])
def create_document(json_data: Body) -> Answer:
    """Make a document; its text comes with its first edition"""
    with services().database.write() as session:
        made = service.create_document(session, caller(), _draft(json_data))
    return msgspec.to_builtins(made), 201, _etag(made.version)


@compliance_documents.get(ONE)
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(schemas.DocumentDetailOut)
@compliance_documents.doc(responses=[404])
def get_document(document_id: int) -> Answer:
    """Read one document with its editions

    The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        return _detail(service.get_document(session, document_id))


@compliance_documents.put(ONE)
@permit(compliance_documents, "compliance.write")
@compliance_documents.input(IfMatchIn, location="headers")
@compliance_documents.input(schemas.DocumentIn)
@compliance_documents.output(schemas.DocumentOut)
@compliance_documents.doc(responses=[403, 404, 412, 428])
def change_document(document_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Describe a document anew"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        done = service.change_document(session, caller(), document_id, _draft(json_data), expected_version=version)
    return msgspec.to_builtins(done), 200, _etag(done.version)


@compliance_documents.post(f"{ONE}/editions")
@permit(compliance_documents, "compliance.write")
@compliance_documents.input(IfMatchIn, location="headers")
@compliance_documents.input(schemas.EditionIn, location="form_and_files")
@compliance_documents.output(schemas.DocumentDetailOut, status_code=201)
@compliance_documents.doc(responses=[404, 412, 413, 428])
def add_edition(document_id: int, headers_data: Body, form_and_files_data: Body) -> Answer:
    """Add an edition, a draft; its file is sealed"""
    version, sent, key = expected_version(headers_data["if_match"]), form_and_files_data["file"], _key()
    content = sent.stream.read(MOST_BYTES + 1)
    draft = EditionDraft(form_and_files_data["label"], sent.filename or "", form_and_files_data["change"])
    with services().database.write() as session:
        editions.add_edition(session, key, caller(), document_id, draft, content, expected_version=version)
        body, _, tag = _detail(service.get_document(session, document_id))
    return body, 201, tag


@compliance_documents.post(f"{EDITION}/approval")
@permit(compliance_documents, "compliance.decide")
@compliance_documents.input(IfMatchIn, location="headers")
@compliance_documents.input(schemas.EditionNoteIn)
@compliance_documents.output(schemas.DocumentDetailOut)
@compliance_documents.doc(responses=[403, 404, 409, 412, 428])
def approve(document_id: int, number: int, headers_data: Body, json_data: Body) -> Answer:
    """Approve an edition, as another person than who added it"""
    return _act(document_id, number, "approve", headers_data, json_data)


@compliance_documents.post(f"{EDITION}/acts")
@permit(compliance_documents, "compliance.write")
@compliance_documents.input(IfMatchIn, location="headers")
@compliance_documents.input(schemas.EditionActIn)
@compliance_documents.output(schemas.DocumentDetailOut)
@compliance_documents.doc(responses=[404, 409, 412, 428])
def act(document_id: int, number: int, headers_data: Body, json_data: Body) -> Answer:
    """Put an edition in force, review, confirm or withdraw it"""
    return _act(document_id, number, json_data.pop("act"), headers_data, json_data)


@compliance_documents.get(f"{EDITION}/file")
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@compliance_documents.doc(responses=[404, 409])
def open_file(document_id: int, number: int) -> Response:
    """Open the file of an edition

    That it was opened stands in the audit trail.
    """
    key = _key()
    with services().database.write() as session:
        edition, content = editions.open_file(session, key, caller(), document_id, number)
    answer = as_attachment(content, edition.file_name, MEDIA[edition.media])
    return Response(answer.get_data(), headers=answer.headers)


@compliance_documents.get(f"{EDITION}/seal")
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(schemas.SealOut)
@compliance_documents.doc(responses=[404])
def verify(document_id: int, number: int) -> Body:
    """Check whether the seal of an edition holds"""
    with services().database.read() as session:
        problem = editions.verify(session, document_id, number)
        return {"problem": problem, "sm3": editions.find_edition(session, document_id, number).sm3}


@compliance_documents.get(f"{EDITION}/readers")
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(schemas.ReadersOut)
@compliance_documents.doc(responses=[404])
def list_readers(document_id: int, number: int) -> Body:
    """Who has read an edition, then who of its organisation has not"""
    with services().database.read() as session:
        return {"readers": msgspec.to_builtins(readers.readers(session, document_id, number))}


@compliance_documents.post(f"{EDITION}/readers")
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(schemas.ReaderOut)
@compliance_documents.doc(responses=[403, 404, 409])
def acknowledge(document_id: int, number: int) -> Body:
    """Say that you have read the edition in force; in person, not by a key"""
    with services().database.write() as session:
        return msgspec.to_builtins(readers.acknowledge(session, caller(), document_id, number))  # type: ignore[no-any-return]


@compliance_documents.get("/systems/<int:system_id>/documents")
@permit(compliance_documents, "compliance.read")
@compliance_documents.output(schemas.CoverageOut)
@compliance_documents.doc(responses=[404, 422])
def coverage(system_id: int) -> Body:
    """Management items of a system with the documents in force"""
    with services().database.read() as session:
        return {"items": msgspec.to_builtins(covering.coverage(session, system_id))}


def _act(document_id: int, number: int, what: str, headers: Body, body: Body) -> Answer:
    version = expected_version(headers["if_match"])
    with services().database.write() as session:
        return _detail(editions.act(session, caller(), document_id, number, what, **body, expected_version=version))


def _draft(body: Body) -> DocumentDraft:
    return DocumentDraft(**{**body, "items": tuple(body["items"])})


def _detail(found: DocumentDetail) -> Answer:
    return msgspec.to_builtins(found), 200, _etag(found.document.version)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(
            503, "this console has no master key, so it cannot seal or open documents", "start it through ./liandun serve"
        )
    return key
