"""``/services``: the catalogue and the applications; the form of each service; one application and what can be done with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from kernel.zones.plan import INTERNET
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import organisations_seen, owners
from operations.services import service
from operations.services.catalogue import BY_ID, CATALOGUE
from operations.services.choices import zone_choices
from operations.services.models import STATES
from operations.services.schema import ApplicationFilter, TermsRecord
from operations.services.terms import list_terms, set_terms, terms_of
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.preferences import current
from soc_ui.services import means, services

PAGE_ROWS = 50
FILTERS = ("state", "service", "bureau", "mine", "open", "overdue")
service_desk = Blueprint("service_desk", __name__)


@service_desk.get("/services")
@access.needs("services.read")
def page() -> str:
    """What can be applied for, and the applications: FILTERS and ``cursor`` in the URL."""
    args, me = request.args, access.me()
    where = ApplicationFilter(
        state=args.get("state", "") if args.get("state") in STATES else "",
        service=args.get("service", "") if args.get("service") in BY_ID else "",
        bureau=args.get("bureau", "")[:128],
        mine=me.name if args.get("mine") else "",
        open=bool(args.get("open")),
        overdue=bool(args.get("overdue")),
    )
    with services().database.read() as session:
        found = service.list_applications(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        counts = service.count_states(session)
        terms = {record.service: record for record in list_terms(session)}
        ours = organisations_seen(session)
        organisations = sorted(owners(session) if ours is None else ours)
    return render_template(
        "services/page.html", page=found, where=where, counts=counts, terms=terms, catalogue=CATALOGUE, states=STATES,
        organisations=organisations, links=Links(request.path, args, FILTERS),
    )  # fmt: skip


@service_desk.get("/services/<service_id>/apply")
@access.needs("services.apply")
def form(service_id: str) -> str:
    """The form of a service."""
    return _form_page(service_id, MultiDict())


@service_desk.post("/services/<service_id>/apply")
@access.needs("services.apply")
def apply(service_id: str) -> Response | tuple[str, int]:
    """Apply. What the form does not have is refused by the service."""
    sent = request.form
    values = {name: sent[name] for name in sent if name not in ("csrf_token", "bureau")}
    try:
        with services().database.write() as session:
            made = service.apply(session, access.me(), _known(service_id), values, bureau=sent.get("bureau", ""))
    except (Invalid, Denied, Conflict) as error:
        return _form_page(service_id, sent, error), refusals.status(error)
    return redirect(url_for("service_desk.one", application_id=made.id, done="applied"))


@service_desk.get("/services/applications/<int:application_id>")
@access.needs("services.read")
def one(application_id: int) -> str:
    """One application."""
    return _application_page(application_id)


@service_desk.post("/services/applications/<int:application_id>")
@access.needs("services.read")
def act(application_id: int) -> Response | tuple[str, int]:
    """One act of operations.services.service.ACTS, which says who may do it."""
    sent = request.form
    try:
        with services().database.write() as session:
            service.act(
                session, access.me(), application_id, sent.get("act", ""), sent.get("note", ""), means=means(),
                expected_version=sent.get("version", 0, row_id),
            )  # fmt: skip
    except (Invalid, Denied, Conflict) as error:
        return _application_page(application_id, error), refusals.status(error)
    return redirect(url_for("service_desk.one", application_id=application_id, done="application"))


@service_desk.post("/services/applications/<int:application_id>/renew")
@access.needs("services.apply")
def renew(application_id: int) -> Response | tuple[str, int]:
    """Apply for more time."""
    sent = request.form
    try:
        with services().database.write() as session:
            days = sent.get("days", 0, row_id)
            made = service.renew(session, access.me(), application_id, sent.get("reason", ""), days)
    except (Invalid, Denied, Conflict) as error:
        return _application_page(application_id, error), refusals.status(error)
    return redirect(url_for("service_desk.one", application_id=made.id, done="applied"))


@service_desk.get("/services/<service_id>/terms")
@access.needs("services.handle")
def terms(service_id: str) -> str:
    """The periods of a service."""
    return _terms_page(service_id)


@service_desk.post("/services/<service_id>/terms")
@access.needs("services.handle")
def change_terms(service_id: str) -> Response | tuple[str, int]:
    """Set them, with where they come from."""
    sent = request.form
    wanted = TermsRecord(
        service=_known(service_id),
        accept_hours=sent.get("accept_hours", 0, row_id),
        issue_hours=sent.get("issue_hours", 0, row_id),
        open=bool(sent.get("open")),
        source=sent.get("source", ""),
        to_be_confirmed=bool(sent.get("to_be_confirmed")),
        version=sent.get("version", 0, row_id),
    )
    try:
        with services().database.write() as session:
            set_terms(session, access.me().actor, wanted)
    except (Invalid, Conflict) as error:
        return _terms_page(service_id, error), refusals.status(error)
    return redirect(url_for("service_desk.page", done="terms"))


def _form_page(service_id: str, value: MultiDict[str, str], error: LiandunError | None = None) -> str:
    found = BY_ID[_known(service_id)]
    with services().database.read() as session:
        zones = zone_choices(session)
        term = terms_of(session, service_id)
        ours = sorted(organisations_seen(session) or ())
    return render_template(
        "services/apply.html", service=found, value=value, zones=[(zone, _zone_name(zone)) for zone in zones], terms=term,
        ours=ours, internet=INTERNET, permit=service_id == "cross-zone-permit", wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _application_page(application_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        detail = service.get_detail(session, access.me(), application_id)
        names = {zone.id: _zone_name(zone) for zone in zone_choices(session)}
        ours = organisations_seen(session)
        known = BY_ID[detail.application.service]
    row = detail.application
    days = next((field for field in known.fields if field.name == "days"), None)
    renewable = row.state in ("issued", "expired") and days is not None and ours is not None and row.bureau in ours
    return render_template(
        "services/one.html", detail=detail, application=row, service=known, zone_names=names,
        renewable=renewable and access.me().may("services.apply"), days=days, typed=request.form if error else {},
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _terms_page(service_id: str, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        record = terms_of(session, _known(service_id))
    return render_template(
        "services/terms.html", service=BY_ID[service_id], terms=record, wrong=refusals.explain(error) if error else []
    )


def _zone_name(zone: Any) -> str:
    return str(zone.name if current().lang == "zh" or not zone.name_en else zone.name_en)


def _known(service_id: str) -> str:
    if service_id not in BY_ID:
        abort(404)
    return service_id
