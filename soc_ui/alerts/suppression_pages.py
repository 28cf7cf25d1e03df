"""``/alerts/suppressions``: what keeps new alerts out of the queue, until when and why; making, lifting and releasing it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations import clock
from operations.alerts import service
from operations.alerts.models import ENTITY_KINDS
from operations.alerts.schema import Entity
from operations.alerts.suppressions import (
    MAX_REASON,
    MOST_DAYS,
    PREVIEW_DAYS,
    SORTS,
    STATES,
    Draft,
    Preview,
    SuppressionFilter,
    SuppressionRecord,
)
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals, times
from soc_ui.alerts.filters import Links
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
DEFAULT_DAYS = 7
_FIRST = ("host", "ip", "user", "domain", "zone")
alert_suppressions = Blueprint("alert_suppressions", __name__)


@alert_suppressions.get("/alerts/suppressions")
@access.needs("alerts.read", "suppressions.release")
def page() -> str:
    """The list: ``state``, ``owner``, ``q``, ``sort`` and ``order``, ``cursor``."""
    return _list()


@alert_suppressions.get("/alerts/suppressions/new")
@access.needs("alerts.write")
def new() -> str:
    """The form, filled in from the alert that ``alert`` names. Raises NotFound for one that may not be seen."""
    number = request.args.get("alert", 0, row_id)
    typed: MultiDict[str, str] = MultiDict({"rule": request.args.get("rule", "")})
    until = times.as_datetime(clock.shift(clock.now(), 86_400 * DEFAULT_DAYS))
    if until is not None:
        typed["until"] = f"{until.astimezone(times.zone()):%Y-%m-%dT%H:%M}"
    with services().database.read() as session:
        if number:
            detail = service.get_detail(session, number)
            typed["rule"] = detail.alert.rule_id
            typed["alert"] = str(number)
            first = next((one for kind in _FIRST for one in detail.entities if one.kind == kind), None)
            if first is not None:
                typed["entity"] = f"{first.kind}:{first.value}"
        return _form(session, typed)


@alert_suppressions.post("/alerts/suppressions")
@access.needs("alerts.write")
def create() -> Response | str | tuple[str, int]:
    """Make it, or (``act`` preview) show what it would have kept out."""
    typed = request.form
    if typed.get("act") == "preview":
        with services().database.read() as session:
            return _form(session, typed)
    try:
        with services().database.write() as session:
            made = service.suppress(session, access.me(), _draft(typed))
    except (Invalid, Denied) as error:
        with services().database.read() as session:
            return _form(session, typed, error), refusals.status(error)
    return redirect(url_for("alert_suppressions.page", done="suppressed", _anchor=f"s{made.id}"))


@alert_suppressions.post("/alerts/suppressions/<int:number>/lift")
@access.needs("alerts.write")
def lift(number: int) -> Response | tuple[str, int]:
    """End it now."""
    try:
        with services().database.write() as session:
            service.lift(session, access.me(), number, expected_version=request.form.get("version", 0, row_id))
    except Conflict as error:
        return _list(error), refusals.status(error)
    return redirect(url_for("alert_suppressions.page", done="lifted"))


@alert_suppressions.post("/alerts/suppressions/<int:number>/release")
@access.needs("suppressions.release")
def release(number: int) -> Response | tuple[str, int]:
    """The security administrator's word on critical alerts of OT zones: ``agreed`` 1 or not."""
    agreed, version = request.form.get("agreed") == "1", request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            service.release(session, access.me(), number, agreed=agreed, expected_version=version)
    except Conflict as error:
        return _list(error), refusals.status(error)
    return redirect(url_for("alert_suppressions.page", done="decided"))


def state_name(record: SuppressionRecord) -> str:
    """How it stands."""
    if record.state == "active":
        return _("in force")
    return _("lifted by %(name)s", name=record.lifted_by) if record.lifted_at else _("expired")


def _list(error: LiandunError | None = None) -> str:
    args = request.args
    where = SuppressionFilter(
        state=args["state"] if args.get("state") in STATES else "", rule=args.get("rule", "")[:160],
        owner=args.get("owner", "")[:64], text=args.get("q", "")[:200],
    )  # fmt: skip
    sort = args["sort"] if args.get("sort") in SORTS else "created"
    ascending = args.get("order") == "up"
    with services().database.read() as session:
        found = service.list_suppressions(
            session, access.me(), where, sort=sort, ascending=ascending, limit=PAGE_ROWS, cursor=args.get("cursor", "")
        )
    return render_template(
        "alerts/suppressions.html", page=found, where=where, sort=sort, ascending=ascending, state_name=state_name,
        links=Links(request.path, args, ("state", "rule", "owner", "q")), wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _form(session: Session, typed: MultiDict[str, str], error: LiandunError | None = None) -> str:
    """The form with what it would have kept out; a value that cannot be read is told in its place."""
    preview: Preview | None = None
    draft = None
    try:
        draft = _draft(typed)
        preview = service.preview_suppression(session, draft)
    except Invalid as found:
        error = error or found
    alert_id = typed.get("alert", 0, row_id)
    offered = service.get_detail(session, alert_id).entities if alert_id else []
    rule = services().rules().find(typed.get("rule", ""))
    return render_template(
        "alerts/suppress.html", typed=typed, rule=rule, offered=_worth(offered), chosen=set(typed.getlist("entity")), draft=draft,
        preview=preview, days=PREVIEW_DAYS, most_days=MOST_DAYS, max_reason=MAX_REASON, kinds=ENTITY_KINDS,
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _worth(entities: list[Entity]) -> list[Entity]:
    order = {kind: place for place, kind in enumerate((*_FIRST, *ENTITY_KINDS))}
    return sorted(entities, key=lambda one: order.get(one.kind, 99))[:24]


def _draft(form: MultiDict[str, str]) -> Draft:
    """What the form asks for. Raises Invalid."""
    entities = [*form.getlist("entity"), *form.get("more", "").split("\n")]
    pairs = [(kind.strip(), value.strip()) for kind, _colon, value in (one.partition(":") for one in entities if one.strip())]
    try:
        until = times.typed(form.get("until", "").strip())
    except times.TimeRangeError as error:
        raise Invalid(f"until: {form['until'][:40]!r} is no moment", field="until") from error
    rule = services().rules().find(form.get("rule", "").strip())
    return Draft(
        rule_id=rule.id if rule else form.get("rule", "").strip()[:160], rule_name=rule.title if rule else "",
        entities=tuple(pairs), until=until, reason=form.get("reason", ""), critical_ot=bool(form.get("critical_ot")),
    )  # fmt: skip
