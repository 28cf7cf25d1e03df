"""``/playbooks/questions``: what runs ask of people; ``/playbooks/questions/<n>``: one question, and answering it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from operations.errors import Conflict, Denied, Invalid
from playbooks.run import listing, questions
from playbooks.run.announcing import is_genuine
from playbooks.run.questions import Question
from soc_ui import access, refusals
from soc_ui.accounts.proof import proven
from soc_ui.alerts.filters import Links
from soc_ui.locale import ngettext
from soc_ui.numbers import row_id
from soc_ui.playbooks import forms
from soc_ui.playbooks.asked import asked
from soc_ui.preferences import local_path
from soc_ui.services import services
from soc_ui.zones.problems import Problem

PAGE_ROWS = 50
KINDS = ("approval", "manual", "unknown")
playbook_questions = Blueprint("playbook_questions", __name__)


@playbook_questions.get("/playbooks/questions")
@access.needs("playbooks.read")
def page() -> str:
    """Everything that is open, what this person can answer first: ``kind``, ``after``."""
    kind = request.args.get("kind", "")
    kinds = (kind,) if kind in KINDS else ()
    with services().database.read() as session:
        found = questions.open_questions(session, kinds=kinds, after=request.args.get("after", 0, row_id), limit=PAGE_ROWS + 1)
        counts = {one: listing.count_asked(session, (one,)) for one in KINDS}
        shown = asked(session, found[:PAGE_ROWS])
    return render_template(
        "playbooks/questions.html", shown=shown, counts=counts, kind=kinds[0] if kinds else "", kinds=KINDS,
        links=Links(request.path, request.args, ("kind",)), latest=max((one.id for one in found), default=0),
        after=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else 0,
    )  # fmt: skip


@playbook_questions.get("/playbooks/questions/new")
@access.needs("playbooks.read")
def newer() -> Response:
    """How many questions came since the page was made (``after``), for the bar above them."""
    with services().database.read() as session:
        found = len(questions.open_questions(session, after=request.args.get("after", 0, row_id), limit=PAGE_ROWS))
    return jsonify(count=found, text=ngettext("%(num)d new question: show it", "%(num)d new questions: show them", found))


@playbook_questions.get("/playbooks/questions/<int:number>")
@access.needs("playbooks.read")
def one(number: int) -> str:
    """One question, also when it is closed; ``seal``: of a link that the platform sent (playbooks.run.announcing)."""
    return _page(number)


@playbook_questions.post("/playbooks/questions/<int:number>/approval")
@access.needs("playbooks.approve")
@proven
def approve(number: int) -> Response | tuple[str, int]:
    """Agree to the request that was shown, or refuse it (``choice``: yes, no)."""
    choice, digest, comment = (request.form.get(name, "") for name in ("choice", "digest", "comment"))
    if choice not in ("yes", "no"):
        abort(400)
    return _settle(
        number,
        lambda session: questions.approve(session, access.me(), number, digest=digest, yes=choice == "yes", comment=comment),
    )


@playbook_questions.post("/playbooks/questions/<int:number>/answer")
@access.needs("playbooks.run", "playbooks.approve")
def answer(number: int) -> Response | tuple[str, int]:
    """Say that it was done or could not be (``choice``: done, failed); of an unknown outcome what happened (done, again, fail).

    Where that is an approval, too, the person has to have proven who they are.
    """
    with services().database.read() as session:
        own = questions.question(session, number).own
    return _plainly(number) if own else _proven(number)


def _plainly(number: int) -> Response | tuple[str, int]:
    return _settle(number, lambda session: _answer(session, number))


_proven = proven(_plainly)


def _answer(session: Session, number: int) -> Question:
    found, form = questions.question(session, number), request.form
    choice, comment = form.get("choice", ""), form.get("comment", "")
    told = [name for name, value in found.known.items() if value]
    values = forms.values(form, found.out_args, told) if choice == "done" else {}
    if found.kind == "unknown":
        return questions.decide(session, access.me(), number, choice=choice, variables=values, comment=comment)
    return questions.answer(session, access.me(), number, done=choice == "done", variables=values, comment=comment)


def _settle(number: int, act: Callable[[Session], Question]) -> Response | tuple[str, int]:
    """Back to where the form stood; with the reason on the page of the question where it was refused."""
    try:
        with services().database.write() as session:
            act(session)
    except (Invalid, Denied, Conflict) as error:
        return _page(number, refusals.explain(error)), refusals.status(error)
    target = local_path(request.form.get("next", "/playbooks/questions"))
    return redirect(f"{target}{'&' if '?' in target else '?'}done=question")


def _page(number: int, wrong: list[Problem] | None = None) -> str:
    with services().database.read() as session:
        found = questions.question(session, number)
        (shown,) = asked(session, [found])
    context: dict[str, Any] = {"typed": request.form} if wrong else {}
    return render_template(
        "playbooks/question_page.html", one=shown, wrong=wrong or [], forged=_forged(found), **context
    )  # fmt: skip


def _forged(found: Question) -> bool:
    """Whether the link that led here was not made by this platform for this very request."""
    seal, key = request.args.get("seal", ""), services().master_key
    return bool(seal) and key is not None and not is_genuine(key, seal[:2_000], found.id, found.digest)
