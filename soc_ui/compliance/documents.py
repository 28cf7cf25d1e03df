"""``/compliance/documents``: policies, procedures and records; ``/compliance/documents/<n>``: one with editions and readers."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from compliance.assessment.places import places
from compliance.documents import covering, editions, readers, reminding, service
from compliance.documents.media import MEDIA, MOST_BYTES
from compliance.documents.models import KINDS
from compliance.documents.schema import DocumentDraft, DocumentFilter
from compliance.systems import service as systems
from kernel.errors import LiandunError
from operations import clock
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import organisations_seen, owners
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("kind", "organisation", "item", "review", "force", "q")
SOON_DAYS = reminding.DAYS_BEFORE
compliance_documents = Blueprint("compliance_documents", __name__)
Answer = Response | tuple[str, int]


@compliance_documents.get("/compliance/documents")
@access.needs("compliance.read")
def page() -> str:
    """The list: FILTERS and ``cursor``."""
    args = request.args
    where = filter_from(args)
    with services().database.read() as session:
        found = service.list_documents(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        documents = found.documents
        told = {
            "kinds": service.count_kinds(session, where), "overdue": service.count_overdue(session),
            "editions": service.current_editions(session, documents), "read": readers.counts(session, documents),
            "mine": readers.read_by(session, access.me().user_id, documents),
        }  # fmt: skip
        organisations = _organisations(session)
    return render_template(
        "compliance/documents.html", page=found, where=where, organisations=organisations, review=args.get("review", ""),
        force=args.get("force", ""), links=Links(request.path, args, FILTERS), **told,
    )  # fmt: skip


@compliance_documents.get("/compliance/documents/new")
@access.needs("compliance.write")
def new() -> str:
    """The form of a new document."""
    return _edit(0)


@compliance_documents.post("/compliance/documents/new")
@access.needs("compliance.write")
def create() -> Answer:
    """Make one; its text comes with its first edition."""
    try:
        with services().database.write() as session:
            made = service.create_document(session, access.me(), draft_from(request.form))
    except (Invalid, Denied, Conflict) as error:
        return _edit(0, error), refusals.status(error)
    return redirect(url_for("compliance_documents.one", document_id=made.id, done="mlps"))


@compliance_documents.get("/compliance/documents/<int:document_id>")
@access.needs("compliance.read")
def one(document_id: int) -> str:
    """One document; ``seal``: the edition whose seal is checked beside that in force."""
    return show(document_id)


@compliance_documents.get("/compliance/documents/<int:document_id>/edit")
@access.needs("compliance.write")
def edit(document_id: int) -> str:
    """The form of a document."""
    return _edit(document_id)


@compliance_documents.post("/compliance/documents/<int:document_id>/edit")
@access.needs("compliance.write")
def change(document_id: int) -> Answer:
    """Describe it anew; refused where somebody else was quicker."""
    version = request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            service.change_document(session, access.me(), document_id, draft_from(request.form), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _edit(document_id, error), refusals.status(error)
    return redirect(url_for("compliance_documents.one", document_id=document_id, done="mlps"))


@compliance_documents.get("/compliance/<int:system_id>/documents")
@access.needs("compliance.read")
def coverage(system_id: int) -> str:
    """Which management items of a system have a document in force; ``lacking=1``: those that have none."""
    with services().database.read() as session:
        system = systems.get_system(session, system_id)
        found = covering.coverage(session, system_id)
    lacking = [one for one in found if one.lacking]
    shown = lacking if request.args.get("lacking") else found
    return render_template("compliance/coverage.html", system=system, found=found, lacking=lacking, shown=shown)


def filter_from(args: MultiDict[str, str]) -> DocumentFilter:
    """The filter that the address asks for; what it does not know is left out."""
    kind, review, force = args.get("kind", ""), args.get("review", ""), args.get("force", "")
    soon = (date.fromisoformat(clock.now()[:10]) + timedelta(days=SOON_DAYS)).isoformat()
    return DocumentFilter(
        kind=kind if kind in KINDS else "", organisation=args.get("organisation", "")[:128], item=args.get("item", "")[:24],
        text=args.get("q", "")[:200], in_force={"yes": True, "no": False}.get(force),
        review_by=soon if review == "soon" else "", overdue=review == "overdue",
    )  # fmt: skip


def draft_from(form: MultiDict[str, str]) -> DocumentDraft:
    """What is said about a document."""
    plain = {name: form.get(name, "") for name in ("kind", "title", "owner", "organisation", "description")}
    return DocumentDraft(**plain, items=tuple(form.get("items", "")[:8_000].replace(",", " ").replace("，", " ").split()))


def show(document_id: int, error: LiandunError | None = None) -> str:
    """The page of one document, with why something was refused."""
    asked = request.args.get("seal", 0, row_id)
    with services().database.read() as session:
        detail = service.get_document(session, document_id)
        document = detail.document
        there = {one.number for one in detail.editions}
        seals = {number: editions.verify(session, document_id, number) for number in {document.in_force, asked} & there}
        read = readers.readers(session, document_id, document.in_force) if document.in_force else []
        mine = readers.read_by(session, access.me().user_id, [document])
        sent = reminding.reminders(session, document_id)
        reference = covering.cite(session, document_id) if document.in_force else ""
    known = places()
    items = [(item, known[item].names) for item in document.items if item in known]
    return render_template(
        "compliance/document.html", document=document, editions=detail.editions, seals=seals, readers=read, items=items,
        mine=document.id in mine, reminders=sent, reference=reference, media=MEDIA, most=MOST_BYTES >> 20,
        wrong=refusals.explain(error) if error else [], typed=request.form if error else {},
    )  # fmt: skip


def _edit(document_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        document = service.get_document(session, document_id).document if document_id else None
        organisations = _organisations(session)
    return render_template(
        "compliance/document_edit.html", document=document, kinds=KINDS, organisations=organisations,
        typed=request.form if error else None, wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _organisations(session: Session) -> list[str]:
    ours = organisations_seen(session)
    return sorted(owners(session) if ours is None else ours)
