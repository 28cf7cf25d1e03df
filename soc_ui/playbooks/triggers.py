"""``/playbooks/triggers``: what starts playbooks by itself; ``/playbooks/triggers/<n>``: one of them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.inbound import service as inbound
from operations.zones import service as zones
from playbooks.run.journal import playbook_of
from playbooks.shelf import service as shelf
from playbooks.shelf.schema import Shelved
from playbooks.triggers import service
from playbooks.triggers.conditions import DAYS, PER
from playbooks.triggers.models import KINDS
from playbooks.triggers.schema import Trigger
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.playbooks import trigger_forms as forms
from soc_ui.playbooks import trigger_words
from soc_ui.playbooks.titles import Titles
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
NEW = {"throttle": 60, "most_per_hour": 20}
playbook_triggers = Blueprint("playbook_triggers", __name__)


@playbook_triggers.get("/playbooks/triggers")
@access.needs("playbooks.read")
def page() -> str:
    """The list: ``kind``, ``playbook``, ``cursor``, the newest first."""
    kind = request.args.get("kind", "") if request.args.get("kind") in KINDS else ""
    with services().database.read() as session:
        found = service.listing(
            session, kind=kind, playbook_id=request.args.get("playbook", "")[:160], after=request.args.get("cursor", ""),
            limit=PAGE_ROWS,
        )  # fmt: skip
        names = _names(session, {one.definition.playbook_id for one in found.triggers})
        startable = shelf.startable(session)
    return render_template(
        "playbooks/triggers.html", page=found, kinds=KINDS, kind=kind, names=names, startable=startable,
        links=Links(request.path, request.args, ("kind", "playbook")), w=trigger_words,
    )  # fmt: skip


@playbook_triggers.get("/playbooks/triggers/new")
@access.needs("playbooks.edit")
def new() -> str:
    """The form for a ``kind`` and a ``playbook``."""
    kind = request.args.get("kind", "") if request.args.get("kind") in KINDS else KINDS[0]
    return _form(kind, request.args.get("playbook", ""), NEW)


@playbook_triggers.post("/playbooks/triggers/new")
@access.needs("playbooks.edit")
def create() -> Response | tuple[str, int]:
    """Make it, switched off."""
    kind, playbook_id = request.form.get("kind", ""), request.form.get("playbook", "")
    try:
        with services().database.write() as session:
            made = service.create(session, access.me(), forms.definition_from(request.form, kind, playbook_id))
    except (Invalid, Conflict) as error:
        return _form(kind, playbook_id, forms.retyped(request.form), error=error), refusals.status(error)
    return redirect(url_for("playbook_triggers.one", trigger_id=made.id, done="trigger_made"))


@playbook_triggers.get("/playbooks/triggers/<int:trigger_id>")
@access.needs("playbooks.read")
def one(trigger_id: int) -> str:
    """One trigger with its counts and its form."""
    return _page(trigger_id)


@playbook_triggers.post("/playbooks/triggers/<int:trigger_id>")
@access.needs("playbooks.edit")
def change(trigger_id: int) -> Response | tuple[str, int]:
    """Let it be something else, switched off by that; refused where it was changed since ``revision``."""
    revision = request.form.get("revision", 0, row_id)
    try:
        with services().database.write() as session:
            before = service.get(session, trigger_id).definition
            wanted = forms.definition_from(request.form, before.kind, before.playbook_id)
            service.change(session, access.me(), trigger_id, wanted, revision)
    except (Invalid, Conflict) as error:
        return _page(trigger_id, error, forms.retyped(request.form)), refusals.status(error)
    return redirect(url_for("playbook_triggers.one", trigger_id=trigger_id, done="trigger"))


@playbook_triggers.post("/playbooks/triggers/<int:trigger_id>/switch")
@access.needs("playbooks.release", "playbooks.edit")
def switch(trigger_id: int) -> Response | tuple[str, int]:
    """On or off (``enabled``: on, off)."""
    enabled, revision = request.form.get("enabled") == "on", request.form.get("revision", 0, row_id)
    try:
        with services().database.write() as session:
            service.set_enabled(session, access.me(), trigger_id, enabled, revision)
    except (Invalid, Conflict, Denied) as error:
        return _page(trigger_id, error), refusals.status(error)
    return redirect(url_for("playbook_triggers.one", trigger_id=trigger_id, done="trigger"))


@playbook_triggers.post("/playbooks/triggers/<int:trigger_id>/remove")
@access.needs("playbooks.edit")
def remove(trigger_id: int) -> Response | tuple[str, int]:
    """Remove it; its runs stay."""
    try:
        with services().database.write() as session:
            service.remove(session, access.me(), trigger_id, request.form.get("revision", 0, row_id))
    except Conflict as error:
        return _page(trigger_id, error), refusals.status(error)
    return redirect(url_for("playbook_triggers.page", done="trigger_removed"))


def _page(trigger_id: int, error: LiandunError | None = None, typed: dict[str, Any] | None = None) -> str:
    with services().database.read() as session:
        trigger = service.get(session, trigger_id)
    given = trigger.definition
    return _form(given.kind, given.playbook_id, typed or forms.filled(given), trigger=trigger, error=error)


def _form(
    kind: str, playbook_id: str, value: dict[str, Any], *, trigger: Trigger | None = None, error: LiandunError | None = None
) -> str:
    """The form of a trigger, and all about it where it is there already. Raises NotFound for a playbook that is not."""
    with services().database.read() as session:
        shelved: Shelved = shelf.get(session, playbook_id)
        playbook = playbook_of(shelf.document(session, playbook_id))
        plan = zones.list_zones(session)
        sources = inbound.sources(session) if kind == "webhook" else []
        asked = shelf.start_form(session, playbook)
    return render_template(
        "playbooks/trigger.html", kind=kind, shelved=shelved, titles=Titles(playbook), asked=asked, plan=plan, sources=sources,
        zone_name=ZoneNames(record.zone for record in plan), value=value, trigger=trigger, fields=forms.FIELDS.get(kind, ()),
        days=DAYS, per=PER, w=trigger_words, wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _names(session: Session, playbook_ids: set[str]) -> dict[str, Shelved]:
    found = {}
    for playbook_id in playbook_ids:
        try:
            found[playbook_id] = shelf.get(session, playbook_id)
        except NotFound:
            continue
    return found
