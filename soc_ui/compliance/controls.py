"""``/compliance/<n>/controls/<item>``: what is asked, what was said on each object and why, and the form to say something."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from compliance.assessment import deciding, reading, record
from compliance.assessment.drift import control as control_key
from compliance.assessment.places import places
from compliance.catalogue.load import high_risk_guide, probes
from compliance.catalogue.mappings import iso_controls, iso_mapping, watching
from compliance.confirmations.service import of_record
from compliance.review import service as review
from compliance.review.schema import About, RequestFilter
from compliance.systems import applicability, service
from compliance.verdicts import Verdict
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.tickets.schema import Link, TicketFilter, TicketRow
from operations.tickets.service import list_tickets
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
DECIDED = ("compensation", "risk")
"""What people decide about the result of a control here."""
VERDICTS = tuple(verdict.value for verdict in Verdict)
compliance_controls = Blueprint("compliance_controls", __name__)


@compliance_controls.get("/compliance/<int:system_id>/controls/<item>")
@access.needs("compliance.read")
def one(system_id: int, item: str) -> str:
    """The page of a control of a system."""
    return _one(system_id, item)


@compliance_controls.post("/compliance/<int:system_id>/controls/<item>")
@access.needs("compliance.write")
def judge(system_id: int, item: str) -> Response | tuple[str, int]:
    """A person's verdict, or ``withdraw`` it; refused where somebody else was quicker."""
    form = request.form
    target, version = form.get("object", 0, row_id), form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            who, reason = access.me().actor, form.get("reason", "")
            if form.get("withdraw"):
                record.withdraw(session, who, system_id, item, target, reason, expected_version=version)
            else:
                record.record(
                    session, who, system_id, item, target, form.get("verdict", ""), source="person", reason=reason,
                    evidence=form.get("evidence", ""), expected_version=version,
                )  # fmt: skip
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, item, error), refusals.status(error)
    return redirect(url_for("compliance_controls.one", system_id=system_id, item=item, done="mlps_verdict"))


@compliance_controls.post("/compliance/<int:system_id>/controls/<item>/applicability")
@access.needs("compliance.decide")
def apply(system_id: int, item: str) -> Response | tuple[str, int]:
    """A person decides whether the control applies to an object or the system, or withdraws that."""
    form = request.form
    target, version = form.get("object", 0, row_id), form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            who, reason = access.me(), form.get("reason", "")
            if form.get("withdraw"):
                applicability.withdraw(session, who, system_id, item, reason, object_id=target, expected_version=version)
            else:
                applicability.decide(
                    session, who, system_id, item, form.get("applies") == "1", reason, object_id=target, expected_version=version
                )
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, item, error), refusals.status(error)
    return redirect(url_for("compliance_controls.one", system_id=system_id, item=item, done="mlps_decided"))


@compliance_controls.post("/compliance/<int:system_id>/controls/<item>/decisions")
@access.needs("compliance.decide")
def decide(system_id: int, item: str) -> Response | tuple[str, int]:
    """A person decides what the control counts by the whole system, or grades what is left of it; ``withdraw``: no more."""
    form = request.form
    kind, target, version = form.get("kind", ""), form.get("object", 0, row_id), form.get("version", 0, row_id)
    try:
        if "target" in form:  # the object and the version of what was decided about it, together in one choice
            target, version = _target(form.get("target", ""))
        if kind not in DECIDED:
            raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(DECIDED)}", field="kind")
        with services().database.write() as session:
            who, reason = access.me(), form.get("reason", "")
            if form.get("withdraw"):
                deciding.withdraw(session, who, system_id, kind, item, reason, object_id=target, expected_version=version)
            else:
                value = form.get("value", "")
                deciding.decide(session, who, system_id, kind, item, value, reason, object_id=target, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, item, error), refusals.status(error)
    return redirect(url_for("compliance_controls.one", system_id=system_id, item=item, done="mlps_decided"))


def _target(text: str) -> tuple[int, int]:
    found, _sign, version = text.partition(":")
    try:
        return row_id(found), row_id(version)
    except ValueError as error:
        raise Invalid(f"{text[:40]!r} is no object", field="object") from error


def _one(system_id: int, item: str, error: LiandunError | None = None) -> str:
    args = request.args
    if item not in places():
        raise NotFound(f"there is no item {item[:24]!r}")
    verdict = args.get("verdict", "") if args.get("verdict") in (*VERDICTS, "none") else ""
    with services().database.read() as session:
        system = service.get_system(session, system_id)
        place = places()[item]
        if place.placed is None:
            abort(404)  # units of GB/T 39786 have D, A and K, which this form does not ask for
        confirmed = of_record(session, item)
        page = reading.verdicts_of(session, system_id, item, verdict=verdict, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        scope = applicability.scope_of(session, system)
        steps = reading.history(session, system_id, item, limit=50)
        results = [one for one in deciding.decisions(session, system_id) if one.subject == item and one.kind in DECIDED]
        decided = deciding.history(session, system_id, item, limit=50)
        said = review.comments(session, About(system_id, item), limit=50)
        requests = review.list_requests(session, RequestFilter(system_id=system_id, item=item), limit=20).requests
        decisions = [one for (about, _target), one in sorted(scope.decisions.items()) if about == item]
        where = TicketFilter(link=Link("control", control_key(system_id, item)))
        tickets: list[TicketRow] = list_tickets(session, where, limit=5).tickets if access.me().may("tickets.read") else []
    cases = [case for case in high_risk_guide(2025).cases if case.id in place.placed.item.high_risk_2025]
    hazards = [hazard for hazard in high_risk_guide(2025).hazards if hazard.id in place.placed.item.major_hazard_2025]
    return render_template(
        "compliance/control.html", system=system, placed=place.placed, item=place.placed.item, held=scope.items[item], page=page,
        steps=steps, decisions=decisions, confirmed=confirmed, cases=cases, hazards=hazards,
        probes=[probes()[key] for key in place.placed.item.probes],
        verdicts=VERDICTS, verdict=verdict, links=Links(request.path, args, ("verdict",)), tickets=tickets,
        names={one.object_id: one.name for one in page.verdicts}, taken=scope.taken_away(item),
        said=said, requests=requests, results=results, decided=[one for one in decided if one.kind in DECIDED],
        judged=any(step.verdict for step in steps),
        wrong=refusals.explain(error) if error else [], typed=request.form if error else {},
        controls=iso_controls(place.placed.control_point.id), mapping=iso_mapping(),
        themes={one.id: one for one in iso_mapping().themes}, watched=watching(place.placed.control_point.id),
    )  # fmt: skip
