"""``/playbooks/secrets``: what playbooks log in with, and where. What was set is never shown again, only its name and its hosts.

Beside them, to be read only, the hosts that may be reached by SSH with the fingerprints of their keys.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Invalid
from playbooks.actions import known_hosts
from playbooks.actions.known_hosts import Line
from playbooks.vault import service
from soc_ui import access, refusals
from soc_ui.accounts.proof import proven
from soc_ui.locale import _
from soc_ui.services import services

MOST_KNOWN = 500
playbook_secrets = Blueprint("playbook_secrets", __name__)


@playbook_secrets.get("/playbooks/secrets")
@access.needs("playbooks.secrets")
def page() -> str:
    """All names with their hosts, and the form for one more."""
    return _page()


@playbook_secrets.post("/playbooks/secrets")
@access.needs("playbooks.secrets")
@proven
def keep() -> Response | tuple[str, int]:
    """Set a secret, or replace it (``name``, ``value``; ``hosts`` one to a line, none: as before)."""
    key, form = services().master_key, request.form
    if key is None:
        return _page(
            Invalid(_("This console has no master key, so it cannot keep secrets. Start it through ./liandun serve."))
        ), 503
    hosts = form.get("hosts", "").replace(",", " ").split() or None
    try:
        with services().database.write() as session:
            service.set_secret(session, access.me().actor, key, form.get("name", "").strip(), form.get("value", ""), hosts)
    except (Invalid, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("playbook_secrets.page", done="secret"))


@playbook_secrets.post("/playbooks/secrets/remove")
@access.needs("playbooks.secrets")
@proven
def remove() -> Response:
    """Forget a secret (``name``); steps that name it fail from now on."""
    with services().database.write() as session:
        service.remove_secret(session, access.me().actor, request.form.get("name", ""))
    return redirect(url_for("playbook_secrets.page", done="secret_removed"))


def _page(error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = service.names(session)
    typed = request.form if error else {}
    name, hosts = typed.get("name", ""), typed.get("hosts", "")
    wrong = refusals.explain(error) if error else []
    return render_template(
        "playbooks/secrets.html", secrets=found, wrong=wrong, name=name, hosts=hosts, known=_known_hosts(), most_known=MOST_KNOWN
    )


def _known_hosts() -> list[Line] | LiandunError | None:
    """Keys of the hosts that playbooks may reach by SSH; why they cannot be read; None where no file is configured."""
    path = services().known_hosts
    if path is None:
        return None
    try:
        return known_hosts.lines(path)
    except LiandunError as error:
        return error
