"""``/compliance/requests``: evidence that auditors ask for, with answers; comments on an item or object."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from compliance.assessment.places import places
from compliance.documents import covering
from compliance.documents import service as documents
from compliance.documents.schema import DocumentFilter
from compliance.evidence import keeping, viewing
from compliance.review import service
from compliance.review.models import STATES
from compliance.review.schema import About, EvidenceRequest, RequestFilter
from compliance.systems import objects
from compliance.systems import service as systems
from compliance.systems.schema import ObjectFilter, SystemFilter
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.compliance.editions import master_key
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS, MOST_CHOICES = 50, 200
compliance_review = Blueprint("compliance_review", __name__)
Answer = Response | tuple[str, int]


@compliance_review.get("/compliance/requests")
@access.needs("compliance.read")
def page() -> str:
    """The list: ``state``, ``system``, ``item``, ``cursor``."""
    args = request.args
    state = args.get("state", "") if args.get("state") in STATES else ""
    where = RequestFilter(state, args.get("system", 0, row_id), args.get("item", "")[:24])
    with services().database.read() as session:
        found = service.list_requests(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        counts = service.count_states(session, where)
        known = systems.list_systems(session, SystemFilter(), limit=MOST_CHOICES).systems
    return render_template(
        "compliance/requests.html", page=found, where=where, counts=counts, states=STATES,
        systems={one.id: one.name for one in known}, links=Links(request.path, args, ("state", "system", "item")),
    )  # fmt: skip


@compliance_review.get("/compliance/<int:system_id>/requests/new")
@access.needs("compliance.review")
def new(system_id: int) -> str:
    """The form of a request: ``item``, ``object``."""
    return _new(system_id)


@compliance_review.post("/compliance/<int:system_id>/requests")
@access.needs("compliance.review")
def ask(system_id: int) -> Answer:
    """Ask for evidence."""
    form = request.form
    about = About(system_id, form.get("item", "").strip(), form.get("object", 0, row_id))
    try:
        with services().database.write() as session:
            made = service.ask(session, access.me(), about, form.get("text", ""), form.get("due_on", ""))
    except (Invalid, Denied, Conflict) as error:
        return _new(system_id, error), refusals.status(error)
    return redirect(url_for("compliance_review.one", request_id=made.id, done="mlps_request"))


@compliance_review.get("/compliance/requests/<int:request_id>")
@access.needs("compliance.read")
def one(request_id: int) -> str:
    """One request with its answers."""
    return _one(request_id)


@compliance_review.post("/compliance/requests/<int:request_id>/answers")
@access.needs("compliance.answer")
def answer(request_id: int) -> Answer:
    """Words, evidence that lies here, a ``file`` to be sealed, or a ``document`` in force."""
    form, sent = request.form, request.files.get("file")
    version = form.get("version", 0, row_id)

    def work(session: Session) -> None:
        found = service.get_request(session, request_id).request
        evidence = form.get("evidence", "") or _brought(session, found, sent)
        if not evidence and (document := form.get("document", 0, row_id)):
            evidence = covering.cite(session, document)
        service.answer(session, access.me(), request_id, form.get("text", ""), evidence, expected_version=version)

    return _act(request_id, work)


@compliance_review.post("/compliance/requests/<int:request_id>/closing")
@access.needs("compliance.review")
def finish(request_id: int) -> Answer:
    """Close it, or with ``send_back`` ask for more."""
    form, version = request.form, request.form.get("version", 0, row_id)
    act = service.send_back if form.get("send_back") else service.close
    return _act(request_id, lambda session: act(session, access.me(), request_id, form.get("text", ""), expected_version=version))


@compliance_review.post("/compliance/<int:system_id>/comments")
@access.needs("compliance.review", "compliance.answer")
def comment(system_id: int) -> Response:
    """A comment on ``item`` and ``object``; back to the page of the control, or of the system."""
    form = request.form
    about = About(system_id, form.get("item", ""), form.get("object", 0, row_id))
    with services().database.write() as session:
        service.comment(session, access.me(), about, form.get("text", ""))
    placed = places()[about.item].placed if about.item else None
    if placed is None:
        return redirect(url_for("compliance.one", system_id=system_id, done="note"))
    return redirect(url_for("compliance_controls.one", system_id=system_id, item=about.item, done="note") + "#review")


@compliance_review.post("/compliance/<int:system_id>/evidence")
@access.needs("compliance.read")
def open_named(system_id: int) -> Response:
    """The file that an answer names (``reference``); that it was opened is written down."""
    key = master_key()
    with services().database.write() as session:
        found, content = viewing.open_named(session, key, access.me(), system_id, request.form.get("reference", "")[:128])
    return as_attachment(content, found.name, "application/octet-stream")


def _brought(session: Session, found: EvidenceRequest, sent: FileStorage | None) -> str:
    """The SM3 of a file that came with the answer, "" where none did."""
    if sent is None or not sent.filename:
        return ""
    content, note = sent.stream.read(keeping.MOST_BYTES + 1), f"#{found.id}"
    return keeping.keep(session, master_key(), access.me(), found.system_id, sent.filename, content, note).sm3


def _act(request_id: int, work: Callable[[Session], object]) -> Answer:
    try:
        with services().database.write() as session:
            work(session)
    except (Invalid, Denied, Conflict) as error:
        return _one(request_id, error), refusals.status(error)
    return redirect(url_for("compliance_review.one", request_id=request_id, done="mlps_finding"))


def _one(request_id: int, error: LiandunError | None = None) -> str:
    me = access.me()
    with services().database.read() as session:
        detail = service.get_request(session, request_id)
        found = detail.request
        named = {entry.evidence for entry in detail.entries if entry.evidence}
        seen = {name: viewing.view(session, me, found.system_id, name) for name in sorted(named)[:50]}
        system = systems.get_system(session, found.system_id)
        papers = []
        if me.may("compliance.answer"):
            where = DocumentFilter(organisation=system.organisation, in_force=True)
            papers = documents.list_documents(session, where, limit=MOST_CHOICES).documents
    place = places().get(found.item)
    return render_template(
        "compliance/request.html", request_=found, entries=detail.entries, seen=seen, system=system, papers=papers,
        asked=place.names if place else ("", ""), placed=place.placed if place else None, most=keeping.MOST_BYTES >> 20,
        wrong=refusals.explain(error) if error else [], typed=request.form if error else {},
    )  # fmt: skip


def _new(system_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        system = systems.get_system(session, system_id)
        known = objects.list_objects(session, system_id, ObjectFilter(), limit=MOST_CHOICES).objects
    value = request.form if error else request.args
    return render_template(
        "compliance/request_new.html", system=system, objects=known, value=value, chosen=value.get("object", 0, row_id),
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
