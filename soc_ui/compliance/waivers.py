"""``/compliance/waivers``: findings that are lived with until a day: asked for, decided by a second person, ended."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from compliance.remediation import service, waivers
from compliance.remediation.models import WAIVER_STATES
from compliance.systems import service as systems
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
compliance_waivers = Blueprint("compliance_waivers", __name__)
Answer = Response | tuple[str, int]


@compliance_waivers.get("/compliance/waivers")
@access.needs("compliance.read")
def page() -> str:
    """The list: ``state``, ``system``, ``cursor``."""
    return _page()


@compliance_waivers.post("/compliance/waivers/<int:waiver_id>/decision")
@access.needs("compliance.decide")
def decide(waiver_id: int) -> Answer:
    """Approve (``approve=1``) or refuse, by another person than who asked."""
    form = request.form
    try:
        with services().database.write() as session:
            version, yes = form.get("version", 0, row_id), form.get("approve") == "1"
            done = waivers.decide(session, access.me(), waiver_id, yes, form.get("note", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _refused(waiver_id, error)
    return redirect(url_for("compliance_findings.one", finding_id=done.finding_id, done="mlps_decided"))


@compliance_waivers.post("/compliance/waivers/<int:waiver_id>/end")
@access.needs("compliance.write", "compliance.decide")
def end(waiver_id: int) -> Answer:
    """Before its time, with a reason."""
    form = request.form
    try:
        with services().database.write() as session:
            version = form.get("version", 0, row_id)
            done = waivers.end(session, access.me(), waiver_id, form.get("note", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _refused(waiver_id, error)
    return redirect(url_for("compliance_findings.one", finding_id=done.finding_id, done="mlps_finding"))


def _refused(waiver_id: int, error: LiandunError) -> Answer:
    with services().database.read() as session:
        waivers.get_waiver(session, waiver_id)  # who may not see it gets 404
    return _page(error), refusals.status(error)


def _page(error: LiandunError | None = None) -> str:
    args = request.args
    state = args.get("state", "asked" if access.me().may("compliance.decide") else "")
    state = state if state in WAIVER_STATES else ""
    with services().database.read() as session:
        found = waivers.list_waivers(session, args.get("system", 0, row_id), state, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        findings = {one.finding_id: service.get_finding(session, one.finding_id) for one in found.waivers}
        names = {number: systems.get_system(session, number).name for number in {one.system_id for one in found.waivers}}
    return render_template(
        "compliance/waivers.html", page=found, state=state, states=WAIVER_STATES, findings=findings, systems=names,
        links=Links(request.path, args, ("state", "system")), wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
