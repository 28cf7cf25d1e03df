"""``/zoneplan``: the whole plan as a file, in and out, and the form for a new zone."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from kernel.zones.plan import LAYERS, Draft, PlanError, read_draft, write_plan
from operations.audit import service as audit
from operations.errors import Conflict, Invalid
from operations.zones import service
from operations.zones.schema import Imported
from soc_ui import access, times
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones import forms, problems

MOST_SHOWN = 200
MOST_TYPED = 1 << 20
"""Bytes of a plan that are given back in the field for its text, to be sent again; well below what a form may have."""
NEW_ZONE = {"layer": "perception", "importance": "3", "internet": "conduit", "admission": "open"}
zone_plan = Blueprint("zone_plan", __name__)


@zone_plan.get("/zoneplan")
@access.needs("zones.read")
def page() -> str:
    """Download and, for administrators, upload."""
    return _plan_page()


@zone_plan.get("/zoneplan/plan.yaml")
@access.needs("zones.read")
def download() -> Response:
    """The plan in force, as a file that the upload and ``./liandun zones import`` read. It names every device: audited."""
    with services().database.write() as session:
        audit.append(session, access.me().actor, "zone.export", "zone")
        text = write_plan(service.read(session), service.hold(session))
    name = f"liandun-zones-{times.now():%Y%m%dT%H%M%SZ}.yaml"
    return Response(
        text, content_type="application/yaml; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@zone_plan.post("/zoneplan")
@access.needs("zones.write")
def upload() -> BaseResponse | str | tuple[str, int]:
    """Take in a plan, or only tell what that would do (``act=check``). All mistakes are shown, and then nothing is changed.

    Where the plan in force has moved since the one sent was written, nothing is changed either, and the page asks; ``act=force``
    is the answer, for the revision that was in force when it asked.
    """
    act, replace, actor = request.form.get("act"), bool(request.form.get("replace")), access.me().actor
    try:
        text = _uploaded()
        draft = read_draft(text, "plan")
        since = _since(draft, forced=act == "force")
        try:
            if act == "check":
                return _plan_page(done=service.rehearse(services().database, actor, draft, replace=replace, since=since), text=text)
            with services().database.write() as session:
                done = service.import_plan(session, actor, draft, replace=replace, since=since)
        except Conflict:
            rehearsed = service.rehearse(services().database, actor, draft, replace=replace)
            return _plan_page(done=rehearsed, moved=True, text=text), 409
    except (PlanError, Invalid) as error:
        return _plan_page(wrong=problems.explain(error)), 422
    return redirect(url_for("zones.page", done="plan", n=done.zones + done.conduits + done.assets))


@zone_plan.get("/zoneplan/zone")
@access.needs("zones.write")
def new_zone() -> str:
    """The empty form of a zone."""
    return _form_page()


@zone_plan.post("/zoneplan/zone")
@access.needs("zones.write")
def create_zone() -> BaseResponse | tuple[str, int]:
    """A new zone."""
    form = request.form
    try:
        with services().database.write() as session:
            made = service.save_zone(session, access.me().actor, forms.zone_from(form, form.get("id", "").strip()))
    except Conflict:
        words = _("There is a zone with this id already.")
        return _form_page([problems.Problem(0, "", "", words)], form), 409
    except Invalid as error:
        return _form_page(problems.explain(error), form), 422
    return redirect(url_for("zones.one", zone_id=made.zone.id, done="zone"))


def _uploaded() -> str:
    """The text of the file, or what was typed. Raises Invalid."""
    sent = request.files.get("file")
    raw = sent.read() if sent is not None and sent.filename else request.form.get("text", "").encode("utf-8", "replace")
    if not raw.strip():
        raise Invalid(_("There is no plan: choose a file or paste its text."), field="file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(_("The file is not UTF-8 (byte %(n)d).", n=error.start), field="file") from error


def _since(draft: Draft, *, forced: bool) -> int | None:
    """The revision that somebody decided on: what the file says, else the one that the page showed."""
    seen = request.form.get("seen", None, row_id)
    return seen if forced or draft.revision is None else draft.revision


def _plan_page(
    *, wrong: list[problems.Problem] | None = None, done: Imported | None = None, moved: bool = False, text: str = ""
) -> str:
    """``done``: what taking it in would do; ``moved``: the plan in force is another than the one that was changed in ``text``."""
    with services().database.read() as session:
        zones, conduits = len(service.list_zones(session)), len(service.list_conduits(session))
        revision = service.current(session)[0]
    found = wrong or []
    sendable = len(text.encode("utf-8", "replace")) <= MOST_TYPED
    return render_template(
        "zones/plan.html",
        wrong=found[:MOST_SHOWN], more=max(0, len(found) - MOST_SHOWN), done=done, moved=moved, zones=zones, conduits=conduits,
        text=(text if sendable else "") or request.form.get("text", ""), again=bool(text) and not sendable, revision=revision,
        replace=bool(request.form.get("replace")), most=MOST_SHOWN,
    )  # fmt: skip


def _form_page(wrong: list[problems.Problem] | None = None, form: Mapping[str, str] | None = None) -> str:
    return render_template("zones/new.html", wrong=wrong or [], value=form if form is not None else NEW_ZONE, layers=LAYERS)
