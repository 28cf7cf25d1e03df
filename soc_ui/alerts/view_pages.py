"""Saved views: which one the address asks for, the tabs over the queue, and the page ``/alerts/views`` that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.alerts import service
from operations.alerts.saved_views import BUILT_IN, MAX_NAME, MOST, View
from operations.errors import Conflict, Invalid
from soc_ui import access, refusals
from soc_ui.alerts import filters
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services

alert_views = Blueprint("alert_views", __name__)


@dataclass(frozen=True)
class Tab:
    """A view over the queue; ``current``: what the page shows."""

    slug: str
    name: str
    current: bool
    view: View | None = None


def asked(session: Session, args: MultiDict[str, str] | None = None) -> MultiDict[str, str]:
    """The queue's parameters, those of the view that they name put in its place. Raises NotFound for a view that is not there."""
    args = request.args if args is None else args
    slug = args.get("view", "")
    view = BUILT_IN.get(slug) if slug else ()
    pairs = service.get_view(session, access.me(), slug).pairs if view is None else view
    return filters.expanded(args, pairs, access.me().name)


def tabs(args: MultiDict[str, str], views: Sequence[View]) -> list[Tab]:
    """The views that everybody has, then those that were saved. The one that the address names is current, else one that fits."""
    me = access.me().name
    named = request.args.get("view", "")
    names = built_in_names()
    found = [(slug, name, BUILT_IN[slug], None) for slug, name in names.items()]
    every = [*found, *((view.slug, view.name, view.pairs, view) for view in views)]
    fitting = [slug for slug, _name, pairs, _view in every if filters.same(args, pairs, me)]
    current = named if named in fitting else next(iter(fitting), "")
    return [Tab(slug, name, slug == current, view) for slug, name, _pairs, view in every]


def built_in_names() -> dict[str, str]:
    """Slug → name of the views that everybody has, in the order of the tabs."""
    return {
        "mine-and-unassigned": _("Mine and unassigned"),
        "open": _("Open"),
        "mine": _("Mine"),
        "unassigned": _("Nobody's"),
        "closed": _("Closed"),
        "suppressed": _("Suppressed"),
        "all": _("All"),
    }


@alert_views.get("/alerts/views")
@access.needs("alerts.read")
def page() -> str:
    """One's own views and those that are shared with one's organisation; ``query`` fills the form for a new one."""
    return _page()


@alert_views.post("/alerts/views")
@access.needs("alerts.read")
def create() -> Response | tuple[str, int]:
    """Keep the filters of the address ``next`` under a name."""
    form = request.form
    try:
        pairs = _pairs(form.get("next", ""))
        with services().database.write() as session:
            made = service.create_view(session, access.me(), form.get("name", ""), pairs, shared=bool(form.get("shared")))
    except Invalid as error:
        return _page(error), 422
    return redirect(url_for("alerts.queue", view=made.slug, done="view"))


@alert_views.post("/alerts/views/<slug>")
@access.needs("alerts.read")
def change(slug: str) -> Response | tuple[str, int]:
    """Rename, share, or delete (``act``)."""
    form, me = request.form, access.me()
    version = form.get("version", type=row_id)
    try:
        with services().database.write() as session:
            if form.get("act") == "delete":
                service.delete_view(session, me, slug, expected_version=version)
            else:
                name, shared = form.get("name", ""), bool(form.get("shared"))
                service.change_view(session, me, slug, expected_version=version, name=name, shared=shared)
    except (Invalid, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("alert_views.page", done="view"))


def _pairs(address: str) -> list[tuple[str, str]]:
    """What a view keeps of an address of the queue."""
    args = MultiDict(parse_qsl(urlsplit(address).query)[:200])
    with services().database.read() as session:
        args = asked(session, args)
    for name in ("cursor", "done", "n", "batch"):
        args.pop(name, None)
    return filters.kept(args, access.me().name)


def _page(error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        views = service.list_views(session, access.me())
    return render_template(
        "alerts/views.html", views=views, most=MOST, max_name=MAX_NAME, typed=request.form if error else request.args,
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
