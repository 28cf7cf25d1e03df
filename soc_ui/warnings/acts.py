"""Forms of ``/warnings/<id>``: every step of the life of a warning. A refusal shows the page again with what was typed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from operations.warnings import service
from soc_ui import access
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.warnings import forms, words
from soc_ui.warnings.page import warning_page

Answer = Response | tuple[str, int]
warning_acts = Blueprint("warning_acts", __name__)
_CODES: tuple[tuple[type[LiandunError], int], ...] = ((Conflict, 409), (Denied, 403), (Invalid, 422))


@warning_acts.post("/warnings/<int:warning_id>/submit")
@access.needs("warnings.draft")
def submit(warning_id: int) -> Answer:
    """Ask for approval."""
    return _step(
        warning_id,
        "submit",
        lambda session: service.submit(session, access.me(), warning_id, expected_version=_version(), note=_text("note")),
    )


@warning_acts.post("/warnings/<int:warning_id>/discard")
@access.needs("warnings.draft")
def discard(warning_id: int) -> Answer:
    """Throw a draft away."""
    return _step(
        warning_id,
        "discard",
        lambda session: service.discard(session, access.me(), warning_id, expected_version=_version(), note=_text("note")),
    )


@warning_acts.post("/warnings/<int:warning_id>/approve")
@access.needs("warnings.approve")
def approve(warning_id: int) -> Answer:
    """The second person says yes."""
    return _step(
        warning_id,
        "approve",
        lambda session: service.approve(session, access.me(), warning_id, expected_version=_version(), note=_text("note")),
    )


@warning_acts.post("/warnings/<int:warning_id>/return")
@access.needs("warnings.approve")
def send_back(warning_id: int) -> Answer:
    """Back to the writers, with a reason."""
    return _step(
        warning_id,
        "return",
        lambda session: service.send_back(session, access.me(), warning_id, expected_version=_version(), note=_text("note")),
    )


@warning_acts.post("/warnings/<int:warning_id>/publish")
@access.needs("warnings.publish")
def publish(warning_id: int) -> Answer:
    """Send it to the organisations and zones that are ticked."""
    form = request.form
    return _step(
        warning_id,
        "publish",
        lambda session: service.publish(
            session,
            access.me(),
            warning_id,
            expected_version=_version(),
            organisations=forms.names(form, "organisations"),
            zones=forms.names(form, "zones"),
            note=_text("note"),
        ),
    )


@warning_acts.post("/warnings/<int:warning_id>/adjust")
@access.needs("warnings.publish")
def adjust(warning_id: int) -> Answer:
    """Another level: a new edition for every receiver."""
    wanted = forms.adjustment(request.form)
    return _step(
        warning_id,
        "adjust",
        lambda session: service.adjust(session, access.me(), warning_id, wanted, expected_version=_version()),
    )


@warning_acts.post("/warnings/<int:warning_id>/lift")
@access.needs("warnings.publish")
def lift(warning_id: int) -> Answer:
    """The threat is over."""
    return _step(
        warning_id,
        "lift",
        lambda session: service.lift(session, access.me(), warning_id, expected_version=_version(), note=_text("note")),
    )


@warning_acts.post("/warnings/<int:warning_id>/receive")
@access.needs("warnings.receive")
def receive(warning_id: int) -> Answer:
    """Sign for one's organisation."""
    return _step(
        warning_id,
        "receive",
        lambda session: service.receive(
            session, access.me(), warning_id, _text("organisation"), edition=_edition(), comment=_text("comment")
        ),
    )


@warning_acts.post("/warnings/<int:warning_id>/feedback")
@access.needs("warnings.receive")
def answer(warning_id: int) -> Answer:
    """Say what one's organisation did."""
    return _step(
        warning_id,
        "feedback",
        lambda session: service.answer(
            session, access.me(), warning_id, _text("organisation"), edition=_edition(), feedback=_text("feedback")
        ),
    )


@warning_acts.get(
    "/warnings/<int:warning_id>/<any(submit, discard, approve, return, publish, adjust, lift, receive, feedback):act>"
)
@access.needs("warnings.read")
def back(warning_id: int, act: str) -> Response:
    """The address of an answer that is a page, asked for again (another language, a bookmark)."""
    return redirect(url_for("warnings.one", warning_id=warning_id))


def _step(warning_id: int, act: str, take: Callable[[Session], object]) -> Answer:
    try:
        with services().database.write() as session:
            take(session)
    except (Conflict, Denied, Invalid) as error:
        if isinstance(error, Denied):
            access.note_denied(error.message)
        code = next(code for kind, code in _CODES if isinstance(error, kind))
        return warning_page(warning_id, wrong=words.explain(error), act=act, values=request.form), code
    return redirect(url_for("warnings.one", warning_id=warning_id, done=f"warning_{act}"))


def _version() -> int:
    """The version that the form was made of; 0, which no warning has, where the form does not say."""
    return request.form.get("version", 0, row_id)


def _edition() -> int:
    return request.form.get("edition", 0, row_id)


def _text(name: str) -> str:
    return request.form.get(name, "")
