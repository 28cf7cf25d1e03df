"""Starting a playbook: choosing one for an alert, incident, asset or warning, and the form of its values."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.alerts import service as alerts
from operations.errors import Conflict, Invalid
from playbooks.run import journal
from playbooks.shelf import service
from playbooks.shelf.prefill import KINDS
from playbooks.shelf.schema import Shelved
from soc_ui import access, refusals
from soc_ui.numbers import row_id
from soc_ui.playbooks import forms
from soc_ui.playbooks.titles import Titles
from soc_ui.services import services

LONGEST_KEY = 128
BUILDING_BLOCK = "building-block"
playbook_start = Blueprint("playbook_start", __name__)


@playbook_start.get("/playbooks/start")
@access.needs("playbooks.run")
def choose() -> str:
    """All that can be started, for the thing that ``kind`` and ``id`` name: what fits it first, building blocks last."""
    kind, number = _subject()
    with services().database.read() as session:
        found = service.startable(session)
        tags = _tags(session, kind, number)
    fitting = [one for one in found if tags.intersection(one.labels)]
    others = [one for one in found if one not in fitting]
    others.sort(key=lambda one: BUILDING_BLOCK in one.labels)
    return render_template("playbooks/choose.html", fitting=fitting, others=others, kind=kind, number=number)


@playbook_start.get("/playbooks/<playbook_id>/start")
@access.needs("playbooks.run")
def form(playbook_id: str) -> str:
    """The form, filled in with what is known of the thing that ``kind`` and ``id`` name."""
    return _form(playbook_id)


@playbook_start.post("/playbooks/<playbook_id>/start")
@access.needs("playbooks.run")
def start(playbook_id: str) -> Response | tuple[str, int]:
    """Start it. The same form sent twice is one run."""
    kind, number = _subject()
    key = request.form.get("key", "")
    try:
        with services().database.write() as session:
            playbook = journal.playbook_of(service.document(session, playbook_id))
            types = {name: one.type for name, one in playbook.playbook_variables.items() if one.external}
            values = forms.values(request.form, types)
            cause = _cause(session, kind, number)
            mine = f"form:{access.me().user_id}:{key}"[:LONGEST_KEY] if key else ""
            run_id = service.start(session, access.me(), playbook_id, values, cause, mine)
    except (Invalid, Conflict) as error:
        return _form(playbook_id, error), refusals.status(error)
    return redirect(url_for("playbook_runs.one", run_id=run_id, done="run_started"))


def _form(playbook_id: str, error: LiandunError | None = None) -> str:
    kind, number = _subject()
    with services().database.read() as session:
        shelved: Shelved = service.get(session, playbook_id)
        playbook = journal.playbook_of(service.document(session, playbook_id))
        fields = service.start_form(session, playbook, kind, number)
    typed = {field.name: request.form.get(forms.PREFIX + field.name, field.value or "") for field in fields}
    return render_template(
        "playbooks/start.html", shelved=shelved, titles=Titles(playbook), fields=fields, typed=typed, kind=kind, number=number,
        key=request.form.get("key") or secrets.token_hex(16), wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _subject() -> tuple[str, str]:
    """What it is started for; nothing where the address names no such kind."""
    kind, number = request.values.get("kind", ""), request.values.get("id", "")
    return (kind, number[:128]) if kind in KINDS and number else ("", "")


def _cause(session: Session, kind: str, number: str) -> dict[str, Any]:
    """Written into the run: the thing must be one that this person sees. Raises NotFound, Invalid."""
    if not kind:
        return {"kind": "person"}
    service.facts_of(session, kind, number)
    return {"kind": kind, "id": number if kind == "asset" else row_id(number)}


def _tags(session: Session, kind: str, number: str) -> frozenset[str]:
    """ATT&CK tags of an alert, as labels of playbooks have them. Raises NotFound."""
    if kind != "alert" or not number.isdecimal():
        return frozenset()
    tags = {tag.lower() for tag in alerts.get_alert(session, row_id(number)).tags}
    return frozenset(tags | {tag.partition(".")[0] + "." + tag.split(".")[1] for tag in tags if tag.count(".") > 1})
