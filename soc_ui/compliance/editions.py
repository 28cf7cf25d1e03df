"""``/compliance/documents/<n>/editions``: a new file, its way into force, its readers, the file itself."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from compliance.documents import editions, readers
from compliance.documents.media import MEDIA, MOST_BYTES
from compliance.documents.schema import EditionDraft
from crypto.secret import MasterKey
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.compliance.documents import show
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.services import services

WRITTEN: tuple[str, ...] = tuple(act for act in editions.ACTS if act != "approve")
"""Acts of who keeps documents; approving is for who decides."""
compliance_editions = Blueprint("compliance_editions", __name__, url_prefix="/compliance/documents/<int:document_id>/editions")
Answer = Response | tuple[str, int]


@compliance_editions.post("")
@access.needs("compliance.write")
def add(document_id: int) -> Answer:
    """A draft with its ``file``: sealed before it is kept."""
    form, sent, key = request.form, request.files.get("file"), master_key()
    content = sent.stream.read(MOST_BYTES + 1) if sent else b""
    draft = EditionDraft(form.get("label", ""), (sent.filename or "") if sent else "", form.get("change", ""))
    version = form.get("version", 0, row_id)
    return _act(
        document_id,
        lambda session: editions.add_edition(
            session, key, access.me(), document_id, draft, content, expected_version=version
        ),
    )  # fmt: skip


@compliance_editions.post("/<int:number>/approval")
@access.needs("compliance.decide")
def approve(document_id: int, number: int) -> Answer:
    """By another person than who added it."""
    return _edition(document_id, number, "approve")


@compliance_editions.post("/<int:number>/acts")
@access.needs("compliance.write")
def act(document_id: int, number: int) -> Answer:
    """``act`` of WRITTEN."""
    what = request.form.get("act", "")
    return _edition(document_id, number, what if what in WRITTEN else "")


@compliance_editions.post("/<int:number>/readers")
@access.needs("compliance.read")
def acknowledge(document_id: int, number: int) -> Answer:
    """This person has read it."""
    return _act(document_id, lambda session: readers.acknowledge(session, access.me(), document_id, number))


@compliance_editions.get("/<int:number>/file")
@access.needs("compliance.read")
def file(document_id: int, number: int) -> Answer:
    """The file as it was given; that it was opened stands in the audit trail."""
    key = master_key()
    try:
        with services().database.write() as session:
            edition, content = editions.open_file(session, key, access.me(), document_id, number)
    except Conflict as error:
        return show(document_id, error), refusals.status(error)
    return as_attachment(content, edition.file_name, MEDIA[edition.media])


def master_key() -> MasterKey:
    """What seals and opens; without it neither can be done here."""
    key = services().master_key
    if key is None:
        abort(503)
    return key


def _edition(document_id: int, number: int, what: str) -> Answer:
    form, version = request.form, request.form.get("version", 0, row_id)
    more = {"note": form.get("note", ""), "review_on": form.get("review_on", "")}
    return _act(
        document_id,
        lambda session: editions.act(session, access.me(), document_id, number, what, **more, expected_version=version),
    )


def _act(document_id: int, work: Callable[[Session], object]) -> Answer:
    try:
        with services().database.write() as session:
            work(session)
    except (Invalid, Denied, Conflict) as error:
        return show(document_id, error), refusals.status(error)
    return redirect(url_for("compliance_documents.one", document_id=document_id, done="mlps"))
