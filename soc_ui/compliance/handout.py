"""``/handout/<token>``: what was handed out, without an account. Nothing else can be reached from here: no session begins."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from compliance.assessment import scoring
from compliance.assessment.standing import standing
from compliance.review import handouts
from compliance.review.schema import Called, HandoutRecord
from compliance.systems import service as systems
from compliance.systems.levels import IN_CATALOGUE
from operations.errors import Conflict
from soc_ui import access
from soc_ui.download import as_attachment
from soc_ui.services import whole_services

STATUS = {"open": 200, "password": 200, "wrong": 403, "locked": 429, "gone": 404, "busy": 429}
handout = Blueprint("handout", __name__)


@handout.get("/handout/<token>")
def look(token: str) -> Response:
    """What there is, or the question for the password."""
    return _answer(_call(token, opening=False))


@handout.post("/handout/<token>")
def open_(token: str) -> Response:
    """The file, or the page of the assessment; with ``password`` where one is asked for."""
    try:
        called = _call(token, opening=True)
    except Conflict:
        return _answer(Called("gone"))
    if called.outcome != "open" or called.handout is None:
        return _answer(called)
    if called.handout.what == handouts.ASSESSMENT:
        return _quiet(make_response(_assessment(called.handout)))
    return _quiet(as_attachment(called.content, called.handout.file_name, called.handout.media))


def _call(token: str, *, opening: bool) -> Called:
    found = whole_services()
    password = request.form.get("password", "")[:512] if opening else ""
    return handouts.call(found.database, found.master_key, token, access.address(), opening=opening, password=password)


def _answer(called: Called) -> Response:
    page = render_template("compliance/handout.html", outcome=called.outcome, handout=called.handout)
    response = make_response(page, STATUS[called.outcome])
    if called.outcome in ("locked", "busy"):
        response.headers["Retry-After"] = str(handouts.LOCK if called.outcome == "locked" else handouts.WINDOW)
    return _quiet(response)


def _assessment(found: HandoutRecord) -> str:
    """As the system stands now; people, zones and addresses are left out."""
    with whole_services().database.read() as session:
        system = systems.get_system(session, found.system_id)
        told = standing(session, found.system_id) if system.level.overall == IN_CATALOGUE else None
        kept = {name: next(iter(scoring.trend(session, found.system_id, name, limit=1)), None) for name in scoring.NAMES}
    return render_template("compliance/handout_assessment.html", handout=found, system=system, found=told, kept=kept)


def _quiet(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response
