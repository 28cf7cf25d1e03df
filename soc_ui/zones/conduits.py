"""``/conduits``: the permits between zones, those that end soon first; ``/conduits/<id>``: one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.zones.plan import EVERY_ZONE, INTERNET
from kernel.zones.services import SERVICES
from operations.errors import Conflict, Invalid
from operations.zones import service
from operations.zones.schema import ConduitRecord
from soc_ui import access
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones import forms, problems
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
STATES = ("expiring", "expired", "in-force", "pending")
SORTS = ("urgency", "id", "until", "approver")
MAX_TEXT = 120
conduits = Blueprint("conduits", __name__)


@conduits.get("/conduits")
@access.needs("zones.read")
def page() -> str:
    """The list: ``state``, ``zone``, ``q``, ``sort`` (- turns it round), ``page``."""
    return _list_page()


@conduits.post("/conduits")
@access.needs("zones.write")
def create() -> Response | tuple[str, int]:
    """A new conduit from the form beside the list."""
    form = request.form
    try:
        with services().database.write() as session:
            made = service.save_conduit(session, access.me().actor, forms.conduit_from(form, form.get("id", "").strip()))
    except Conflict:
        return _list_page(wrong=[_problem(_("There is a conduit with this id already."))], form=form), 409
    except Invalid as error:
        return _list_page(wrong=problems.explain(error), form=form), 422
    return redirect(url_for("conduits.one", conduit_id=made.conduit.id, done="conduit"))


@conduits.get("/conduits/<conduit_id>")
@access.needs("zones.read")
def one(conduit_id: str) -> str:
    """One conduit; the form for those who may change it."""
    return _conduit_page(conduit_id)


@conduits.post("/conduits/<conduit_id>")
@access.needs("zones.write")
def change(conduit_id: str) -> Response | tuple[str, int]:
    """Save the form; refused where somebody else was quicker."""
    form = request.form
    try:
        wanted = forms.conduit_from(form, conduit_id)
        with services().database.write() as session:
            service.save_conduit(session, access.me().actor, wanted, expected_version=form.get("version", 0, row_id))
    except Conflict:
        words = _("Somebody else changed this in the meantime; here is how it stands now.")
        return _conduit_page(conduit_id, wrong=[_problem(words)]), 409
    except Invalid as error:
        return _conduit_page(conduit_id, wrong=problems.explain(error), form=form), 422
    return redirect(url_for("conduits.one", conduit_id=conduit_id, done="conduit"))


@conduits.post("/conduits/<conduit_id>/delete")
@access.needs("zones.write")
def delete(conduit_id: str) -> Response:
    """Take a permit back: from now on what it allowed is denied."""
    with services().database.write() as session:
        service.delete_conduit(session, access.me().actor, conduit_id)
    return redirect(url_for("conduits.page", done="conduit_deleted"))


def _list_page(*, wrong: list[problems.Problem] | None = None, form: Mapping[str, str] | None = None) -> str:
    args = request.args
    with services().database.read() as session:
        every = service.list_conduits(session)
        name = ZoneNames(record.zone for record in service.list_zones(session))
    chosen, zone, text = args.get("state", ""), args.get("zone", "")[:64], args.get("q", "").strip()[:MAX_TEXT]
    found = [one for one in every if chosen in ("", one.state) and zone in ("", *one.conduit.sources, *one.conduit.targets)]
    found = [one for one in found if all(word in _hay(one, name) for word in text.casefold().split())]
    sort = args.get("sort", "urgency")
    key = sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "urgency"
    found.sort(key=lambda one: _order(one, key), reverse=sort.startswith("-"))
    pages = max(1, -(-len(found) // PAGE_ROWS))
    number = min(max(1, args.get("page", 1, int)), pages)
    return render_template(
        "zones/conduits.html",
        shown=found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS], total=len(found), everything=len(every), number=number,
        pages=pages, states={state: sum(one.state == state for one in every) for state in STATES}, chosen=chosen, zone=zone,
        text=text, sort=sort, key=key, name=name, zone_ids=sorted(name.known), wrong=wrong or [], value=form or {},
        services=sorted(SERVICES), internet=INTERNET, every_zone=EVERY_ZONE,
    )  # fmt: skip


def _conduit_page(conduit_id: str, *, wrong: list[problems.Problem] | None = None, form: Mapping[str, str] | None = None) -> str:
    with services().database.read() as session:
        record = service.get_conduit(session, conduit_id)
        name = ZoneNames(one.zone for one in service.list_zones(session))
    return render_template(
        "zones/conduit.html",
        record=record, conduit=record.conduit, name=name, wrong=wrong or [], zone_ids=sorted(name.known),
        value=form if form is not None else forms.conduit_values(record.conduit), services=sorted(SERVICES), internet=INTERNET,
        every_zone=EVERY_ZONE,
    )  # fmt: skip


def _order(one: ConduitRecord, key: str) -> tuple[Any, ...]:
    conduit = one.conduit
    if key == "urgency":
        return STATES.index(one.state), conduit.until or "~", conduit.id
    return (conduit.until or "~", conduit.id) if key == "until" else (getattr(conduit, key), conduit.id)


def _hay(one: ConduitRecord, name: ZoneNames) -> str:
    conduit = one.conduit
    ends = (*conduit.sources, *conduit.targets)
    parts = (conduit.id, conduit.reason, conduit.approver, *conduit.services, *ends, *map(name, ends))
    return " ".join(parts).casefold()


def _problem(text: str) -> problems.Problem:
    return problems.Problem(0, "", "", text)
