"""``/playbooks``: the shelf; ``/playbooks/<id>``: one playbook with its steps, versions and what the check says of it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from operations import clock
from playbooks.run import journal, listing
from playbooks.run.listing import RunFilter
from playbooks.run.statistics import records
from playbooks.shelf import service
from playbooks.shelf.models import ORIGINS
from playbooks.shelf.schema import STATES, ShelfFilter
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.playbooks.chart import chart_of
from soc_ui.playbooks.statistics import BY_HAND
from soc_ui.playbooks.titles import Titles
from soc_ui.services import services
from soc_ui.zones.problems import Problem

PAGE_ROWS = 50
MOST_LABELS = 24
VERSIONS, RUNS = 12, 6
MONTH = 30 * 86_400
FILTERS = ("state", "origin", "label", "q")
playbooks = Blueprint("playbooks", __name__)


@playbooks.get("/playbooks")
@access.needs("playbooks.read")
def page() -> str:
    """The list: FILTERS and ``cursor``, by name."""
    args = request.args
    where = ShelfFilter(
        text=args.get("q", "")[:200],
        label=args.get("label", "")[:100],
        origin=args.get("origin", "") if args.get("origin") in ORIGINS else "",
        state=args.get("state", "") if args.get("state") in STATES else "",
    )
    with services().database.read() as session:
        found = service.listing(session, where, after=args.get("cursor", ""), limit=PAGE_ROWS)
        every = service.labels(session).items()
        told = records(session, [one.playbook_id for one in found.playbooks], clock.shift(clock.now(), -MONTH))
    labels = dict([one for one in every if not BY_HAND.fullmatch(one[0])][:MOST_LABELS])
    return render_template(
        "playbooks/library.html", page=found, where=where, labels=labels, told=told, states=STATES, origins=ORIGINS,
        links=Links(request.path, args, FILTERS),
    )  # fmt: skip


@playbooks.get("/playbooks/<playbook_id>")
@access.needs("playbooks.read")
def one(playbook_id: str) -> str:
    """One playbook; ``version``: its number, else the one in force, else the newest."""
    return show(playbook_id)


@playbooks.get("/playbooks/<playbook_id>/export")
@access.needs("playbooks.read")
def export(playbook_id: str) -> Response:
    """The document of a ``version``, octet for octet, with its signatures."""
    with services().database.read() as session:
        name, body = service.export(session, playbook_id, _version())
    return as_attachment(body, name, "application/json")


@playbooks.get("/playbooks/<playbook_id>/difference")
@access.needs("playbooks.read")
def difference(playbook_id: str) -> str:
    """What changed from version ``old`` to version ``new``."""
    old, new = (request.args.get(name, 0, row_id) for name in ("old", "new"))
    with services().database.read() as session:
        shelved = service.get(session, playbook_id)
        bodies = [service.document(session, playbook_id, number) for number in (old, new)]
    titles = Titles(journal.playbook_of(bodies[1]))
    changes = service.difference(*bodies)
    return render_template(
        "playbooks/difference.html", shelved=shelved, titles=titles, changes=changes, old=old, new=new,
    )  # fmt: skip


def show(playbook_id: str, wrong: list[Problem] | None = None) -> str:
    """The page of a playbook, with why something was refused."""
    with services().database.read() as session:
        shelved = service.get(session, playbook_id)
        edition = service.version(session, playbook_id, _version())
        playbook = journal.playbook_of(service.document(session, playbook_id, edition.number))
        runs = listing.list_runs(session, RunFilter(playbook_id=playbook_id), limit=RUNS).runs
        context = {
            "versions": service.versions(session, playbook_id, after=request.args.get("versions", ""), limit=VERSIONS),
            "callers": service.callers(session, playbook_id),
            "called": [one for one in service.startable(session) if one.playbook_id in edition.calls],
            "record": records(session, [playbook_id], clock.shift(clock.now(), -MONTH))[playbook_id],
        }
    return render_template(
        "playbooks/playbook.html", shelved=shelved, edition=edition, playbook=playbook, titles=Titles(playbook), runs=runs,
        chart=chart_of(playbook), wrong=wrong or [], **context,
    )  # fmt: skip


def _version() -> int | None:
    return request.args.get("version", None, row_id)
