"""Putting a version of a playbook in force, and switching a playbook on and off."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from operations.errors import Conflict, Denied
from playbooks.problems import PlaybookError
from playbooks.shelf import service
from soc_ui import access, refusals
from soc_ui.accounts.proof import proven
from soc_ui.numbers import row_id
from soc_ui.playbooks import library
from soc_ui.playbooks.problem_words import told
from soc_ui.services import services

playbook_release = Blueprint("playbook_release", __name__)


@playbook_release.post("/playbooks/<playbook_id>/release")
@access.needs("playbooks.release")
@proven
def release(playbook_id: str) -> Response | tuple[str, int]:
    """Let version ``number`` run from now on; refused where the playbook was changed since ``revision``."""
    number, revision = (request.form.get(name, 0, row_id) for name in ("number", "revision"))
    return _settle(
        playbook_id, "playbook_released", lambda session: service.release(session, access.me(), playbook_id, number, revision)
    )


@playbook_release.post("/playbooks/<playbook_id>/switch")
@access.needs("playbooks.release", "playbooks.edit")
def switch(playbook_id: str) -> Response | tuple[str, int]:
    """On or off (``enabled``: on, off). Who may write playbooks may only switch them off."""
    enabled, revision = request.form.get("enabled") == "on", request.form.get("revision", 0, row_id)
    return _settle(
        playbook_id, "playbook_switched", lambda session: service.set_enabled(session, access.me(), playbook_id, enabled, revision)
    )


def _settle(playbook_id: str, done: str, act: Callable[[Session], object]) -> Response | tuple[str, int]:
    try:
        with services().database.write() as session:
            act(session)
    except PlaybookError as error:
        return library.show(playbook_id, told(error)), 422
    except (Conflict, Denied) as error:
        return library.show(playbook_id, refusals.explain(error)), refusals.status(error)
    return redirect(url_for("playbooks.one", playbook_id=playbook_id, done=done))
