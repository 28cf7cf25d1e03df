"""``/compliance/findings``: what is to be mended in every system; ``/compliance/findings/<n>``: one, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from compliance.assessment import reading
from compliance.assessment.places import places
from compliance.remediation import listing, service, waivers
from compliance.remediation.schema import Assignment, FindingFilter, WaiverDraft
from compliance.systems import service as systems
from compliance.systems.schema import SystemFilter
from kernel.errors import LiandunError
from operations import clock
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.organisations import candidates, organisations_seen, owners
from operations.tickets import service as tickets
from operations.tickets.schema import TicketRow
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.compliance.forms import moment
from soc_ui.compliance.words import classes
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS, MOST_SYSTEMS = 50, 200
FILTERS = ("system", "class", "state", "owner", "assignee", "due", "item", "sort")
DUE = {"week": 7, "month": 30}
"""Choice of the list → days from now."""
OPERATOR = "-"
"""How an address names the operator, who has no name as an owner."""
compliance_findings = Blueprint("compliance_findings", __name__)
Answer = Response | tuple[str, int]


@compliance_findings.get("/compliance/findings")
@access.needs("compliance.read")
def page() -> str:
    """The list: FILTERS and ``cursor``."""
    args = request.args
    where, sort = filter_from(args), args.get("sort", "") if args.get("sort") in listing.SORTS else "opened"
    with services().database.read() as session:
        found = listing.list_all(session, where, sort=sort, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        counts = listing.count_states(session, where)
        known = systems.list_systems(session, SystemFilter(), limit=MOST_SYSTEMS).systems
        ours = organisations_seen(session)
        organisations = sorted(owners(session) if ours is None else ours)
    return render_template(
        "compliance/findings.html", page=found, where=where, sort=sort, counts=counts, systems={one.id: one.name for one in known},
        classes=classes(), organisations=organisations, due=args.get("due", ""), owner=args.get("owner", ""),
        links=Links(request.path, args, FILTERS),
    )  # fmt: skip


@compliance_findings.get("/compliance/findings/<int:finding_id>")
@access.needs("compliance.read")
def one(finding_id: int) -> str:
    """One finding."""
    return _one(finding_id)


@compliance_findings.post("/compliance/findings/<int:finding_id>/assign")
@access.needs("compliance.write")
def assign(finding_id: int) -> Answer:
    """A ticket to whoever mends it."""
    form, version = request.form, request.form.get("version", 0, row_id)

    def work(session: Session) -> None:
        bureau = form.get("bureau", "")
        given = Assignment(bureau, form.get("assignee", ""), moment(form.get("due_at", ""), "due_at"), form.get("note", ""))
        service.assign(session, access.me(), finding_id, given, expected_version=version)

    return _act(finding_id, work)


@compliance_findings.post("/compliance/findings/<int:finding_id>/due")
@access.needs("compliance.write")
def set_due(finding_id: int) -> Answer:
    """Another day."""
    form, version = request.form, request.form.get("version", 0, row_id)

    def work(session: Session) -> None:
        due = moment(form.get("due_at", ""), "due_at")
        service.set_due(session, access.me(), finding_id, due, form.get("note", ""), expected_version=version)

    return _act(finding_id, work)


@compliance_findings.post("/compliance/findings/<int:finding_id>/retest")
@access.needs("compliance.write", "compliance.answer")
def ask_retest(finding_id: int) -> Answer:
    """Somebody says that it is mended."""
    form, version = request.form, request.form.get("version", 0, row_id)
    return _act(
        finding_id,
        lambda session: service.ask_retest(session, access.me(), finding_id, form.get("note", ""), expected_version=version),
    )


@compliance_findings.post("/compliance/findings/<int:finding_id>/waivers")
@access.needs("compliance.write", "compliance.answer")
def ask_waiver(finding_id: int) -> Answer:
    """Ask to live with it until a day."""
    form = request.form

    def work(session: Session) -> None:
        end = moment(form.get("expires_at", ""), "expires_at")
        waivers.ask(session, access.me(), finding_id, WaiverDraft(form.get("reason", ""), form.get("measure", ""), end))

    return _act(finding_id, work)


def filter_from(args: MultiDict[str, str]) -> FindingFilter:
    """The filter that the address asks for; what it does not know is left out."""
    state, due, owner = args.get("state", ""), args.get("due", ""), args.get("owner", "")[:128]
    ahead = clock.shift(clock.now(), DUE[due] * 86_400) if due in DUE else ""
    return FindingFilter(
        state=state if state in service.SHOWN else "", item=args.get("item", "")[:24], overdue=due == "overdue",
        system_id=args.get("system", 0, row_id), security_class=args.get("class", "")[:16],
        bureau=None if not owner else "" if owner == OPERATOR else owner, assignee=args.get("assignee", "")[:64],
        due_by=ahead, undated=due == "none",
    )  # fmt: skip


def _act(finding_id: int, work: Callable[[Session], object]) -> Answer:
    try:
        with services().database.write() as session:
            work(session)
    except (Invalid, Denied, Conflict) as error:
        return _one(finding_id, error), refusals.status(error)
    return redirect(url_for("compliance_findings.one", finding_id=finding_id, done="mlps_finding"))


def _one(finding_id: int, error: LiandunError | None = None) -> str:
    me = access.me()
    with services().database.read() as session:
        found = service.get_finding(session, finding_id)
        system = systems.get_system(session, found.system_id)
        steps = listing.story(session, found)
        asked = waivers.of_finding(session, finding_id)
        verdict = reading.verdict_of(session, found.system_id, found.item, found.object_id)
        ticket = _ticket(session, found.ticket_id) if found.ticket_id and me.may("tickets.read") else None
        people = {}
        if me.may("compliance.write"):
            sides = sorted({"", system.organisation} & {"", *owners(session)})
            people = {name: candidates(session, "tickets.write", name) for name in sides}
    place = places().get(found.item)
    return render_template(
        "compliance/finding.html", finding=found, system=system, steps=steps, waivers=asked, verdict=verdict, ticket=ticket,
        people=people, placed=place.placed if place else None, wrong=refusals.explain(error) if error else [],
        typed=request.form if error else {},
    )  # fmt: skip


def _ticket(session: Session, number: int) -> TicketRow | None:
    try:
        return tickets.get_ticket(session, number)
    except NotFound:  # a ticket of people whom this person does not see
        return None
