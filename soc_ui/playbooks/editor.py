"""Writing a playbook, or bringing one from elsewhere: the document as JSON, checked while it is typed, saved as a next version."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks import editing
from playbooks.check import is_right
from playbooks.model import Playbook
from playbooks.problems import PlaybookError, Problem
from playbooks.reading import read
from playbooks.shelf import service
from soc_ui import access, preferences, refusals
from soc_ui.numbers import row_id
from soc_ui.playbooks import step_form
from soc_ui.playbooks.chart import chart_of
from soc_ui.playbooks.problem_words import told
from soc_ui.playbooks.skeleton import skeleton
from soc_ui.playbooks.titles import Titles
from soc_ui.services import services

MOST_SHOWN = 60
playbook_editor = Blueprint("playbook_editor", __name__)


@playbook_editor.get("/playbooks/new")
@access.needs("playbooks.edit")
def new() -> str:
    """A playbook that does next to nothing, to begin with."""
    return _page(json.dumps(skeleton(access.me()), ensure_ascii=False, indent=2))


@playbook_editor.get("/playbooks/<playbook_id>/edit")
@access.needs("playbooks.edit")
def edit(playbook_id: str) -> str:
    """The newest version, to make the next one from."""
    with services().database.read() as session:
        newest = service.get(session, playbook_id).newest
        body = service.document(session, playbook_id, newest)
    return _page(body.decode(), base=newest)


@playbook_editor.get("/playbooks/import")
@access.needs("playbooks.edit")
def form_of_import() -> str:
    """A file, or what is pasted."""
    return render_template("playbooks/import.html", wrong=[], text="")


@playbook_editor.post("/playbooks/check")
@access.needs("playbooks.edit")
def check() -> str:
    """What the check says of the document of a form, and its picture: a part of the editor."""
    return render_template("playbooks/checked.html", **_checked(request.form.get("document", "")))


@playbook_editor.post("/playbooks/preview")
@access.needs("playbooks.edit")
def preview() -> str:
    """The editor again, with what the check says: for those without script."""
    return _page(request.form.get("document", ""), base=request.form.get("base", 0, row_id))


@playbook_editor.post("/playbooks/step")
@access.needs("playbooks.edit")
def step() -> str | tuple[str, int]:
    """The editor again, with another step in its form, or with a step changed, added or removed (``act``)."""
    text, base = request.form.get("document", ""), request.form.get("base", 0, row_id)
    try:
        text, step_id = step_form.applied(text, request.form)
    except (PlaybookError, Invalid) as error:
        return _page(text, base=base, step_id=request.form.get("shown", ""), error=error), 422
    return _page(text, base=base, step_id=step_id)


@playbook_editor.post("/playbooks/save")
@access.needs("playbooks.edit")
def save() -> Response | tuple[str, int]:
    """Keep the document as the version after ``base`` (0 = of a new playbook); ``draft``: also where it cannot run yet."""
    text, form = request.form.get("document", ""), request.form
    base = form.get("base", 0, row_id)
    try:
        with services().database.write() as session:
            made = service.save(
                session, access.me(), text.encode("utf-8", "replace"), note=form.get("note", ""), base=base or None,
                draft=bool(form.get("draft")), stamp=True,
            )  # fmt: skip
    except (PlaybookError, Invalid, Conflict) as error:
        return _page(text, base=base, error=error), refusals.status(error)
    return redirect(url_for("playbooks.one", playbook_id=made.playbook_id, version=made.number, done="playbook_saved"))


@playbook_editor.post("/playbooks/import")
@access.needs("playbooks.edit")
def bring_in() -> Response | tuple[str, int]:
    """Keep a document of others, with its signatures, as a draft or as a version that can run."""
    upload = request.files.get("file")
    body = upload.stream.read() if upload and upload.filename else request.form.get("document", "").encode("utf-8", "replace")
    try:
        with services().database.write() as session:
            base = _base(session, body)
            made = service.save(
                session, access.me(), body, note=request.form.get("note", ""), base=base, draft=bool(request.form.get("draft")),
                origin="imported",
            )  # fmt: skip
    except (PlaybookError, Invalid, Conflict, Denied) as error:
        wrong = told(error) if isinstance(error, PlaybookError) else refusals.explain(error)
        return render_template("playbooks/import.html", wrong=wrong, text=request.form.get("document", "")), refusals.status(error)
    return redirect(url_for("playbooks.one", playbook_id=made.playbook_id, version=made.number, done="playbook_saved"))


def _base(session: Session, body: bytes) -> int | None:
    """The newest version where the playbook is on the shelf already: a file of others knows nothing of it. Raises PlaybookError."""
    try:
        return service.get(session, read(body).id).newest
    except NotFound:
        return None


def _page(text: str, *, base: int = 0, step_id: str = "", error: LiandunError | None = None) -> str:
    wrong = told(error) if isinstance(error, PlaybookError) else refusals.explain(error) if error else []
    found = _checked(text)
    chosen = step_form.form_of(found["playbook"], step_id) if found["playbook"] else None
    return render_template(
        "playbooks/editor.html", text=text, base=base, wrong=wrong, form=request.form, chosen=chosen, kinds=editing.KINDS,
        shelved=_callable(found["playbook"]) if chosen and chosen.playbook_id is not None else [], **found,
    )  # fmt: skip


def _callable(playbook: Playbook) -> list[tuple[str, str]]:
    """Other playbooks on the shelf that are in force: id and name."""
    with services().database.read() as session:
        found = service.startable(session)
    lang = preferences.current().lang
    return sorted(((one.playbook_id, one.named(lang)) for one in found if one.playbook_id != playbook.id), key=lambda one: one[1])


def _checked(text: str) -> dict[str, Any]:
    """Problems and picture of a document; half a document is a draft."""
    problems, playbook = _problems(text)
    return {
        "problems": problems[:MOST_SHOWN],
        "more": max(0, len(problems) - MOST_SHOWN),
        "right": playbook is not None and is_right(problems),
        "playbook": playbook,
        "titles": Titles(playbook) if playbook else None,
        "chart": chart_of(playbook) if playbook else None,
    }


def _problems(text: str) -> tuple[list[Problem], Playbook | None]:
    try:
        playbook = read(text.encode("utf-8", "replace"))
    except PlaybookError as error:
        return error.problems, None
    with services().database.read() as session:
        return service.problems_of(session, playbook, in_force=False), playbook
