"""``/rules/exceptions``: exceptions and switched-off rules: the list, one with what it hides, proposing, deciding, ending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from kernel.rule_tuning.condition import MOST_CONDITIONS, OPERATORS, Condition
from kernel.rule_tuning.screen import held_back
from operations.alerts import service as alerts
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid
from operations.tuning import figures, listing, measures
from operations.tuning.models import KINDS, STATES
from operations.tuning.preview import DAYS as PREVIEW_DAYS
from operations.tuning.preview import preview
from operations.tuning.schema import MeasureRecord, Proposal
from operations.tuning.sigma_filter import file_name, sigma_filter
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.rules import forms
from soc_ui.rules.subject import subject, subjects
from soc_ui.services import services

PAGE_ROWS = 50
exceptions = Blueprint("exceptions", __name__)


@exceptions.get("/rules/exceptions")
@access.needs("tuning.read")
def page() -> str:
    """Newest first; filters ``state`` (living: proposed or in force), ``kind``, ``rule``."""
    args = request.args
    state = args.get("state", "living")
    states = (state,) if state in STATES else () if state == "all" else ("proposed", "active")
    kind = args.get("kind", "") if args.get("kind") in KINDS else ""
    with services().database.read() as session:
        found = listing.list_measures(
            session, states=states, kind=kind, rule_id=args.get("rule", "")[:160], limit=PAGE_ROWS, cursor=args.get("cursor", "")
        )
        waiting = listing.count_proposed(session)
    return render_template(
        "rules/exceptions.html", found=found, state=state, states=STATES, kind=kind, waiting=waiting, hidden=_held_back(),
        links=Links(request.path, args, ("state", "kind", "rule")),
    )  # fmt: skip


@exceptions.get("/rules/exceptions/new")
@access.needs("tuning.propose")
def new() -> str:
    """The form: conditions from the address (``field``, ``operator``, ``value``), or from the alert that ``alert`` names."""
    args = request.args
    alert_id = args.get("alert", 0, row_id)
    conditions = forms.conditions_of(args)
    with services().database.read() as session:
        rule_id = args.get("rule", "")
        fields: dict[str, Any] = {}
        if alert_id:
            detail = alerts.get_detail(session, alert_id)
            rule_id, fields = detail.alert.rule_id, {**detail.group, **detail.event}
            conditions = conditions or forms.conditions_from(fields)
        return _form(session, rule_id, conditions, fields=fields, value={"alert": str(alert_id or "")})


@exceptions.post("/rules/exceptions")
@access.needs("tuning.propose")
def create() -> Response | tuple[str, int] | str:
    """Propose it; with ``act=preview`` only show what it would have hidden."""
    form = request.form
    conditions, rule_id = forms.conditions_of(form), form.get("rule", "")
    if form.get("act") == "preview":
        try:
            with services().database.read() as session:
                return _form(session, rule_id, measures.check_conditions(conditions), value=form, looked=True)
        except Invalid as error:
            return _refused(rule_id, conditions, error)
    try:
        with services().database.write() as session:
            rule = subject(session, rule_id)
            made = measures.propose(
                session, access.me(),
                Proposal(
                    rule.id, rule.title, rule.level, rule.engine, form.get("reason", ""),
                    conditions=measures.check_conditions(conditions), expires_at=forms.expiry_of(form.get("days", "")),
                    owner=form.get("owner", "").strip(), source_alert=form.get("alert", None, row_id),
                ),
            )  # fmt: skip
    except (Invalid, Conflict, Denied) as error:
        return _refused(rule_id, conditions, error)
    return redirect(url_for("exceptions.one", measure_id=made.id, done="exception"))


@exceptions.post("/rules/off")
@access.needs("tuning.decide")
def switch_off() -> Response:
    """Switch a rule off, or propose it where a second administrator has to agree."""
    form = request.form
    ending = forms.expiry_of(form.get("days", ""))
    with services().database.write() as session:
        rule = subject(session, form.get("rule", ""))
        wanted = Proposal(rule.id, rule.title, rule.level, rule.engine, form.get("reason", ""), expires_at=ending)
        made = measures.propose(session, access.me(), wanted)
    return redirect(url_for("exceptions.one", measure_id=made.id, done="rule_off" if made.state == "active" else "exception"))


@exceptions.get("/rules/exceptions/<int:measure_id>")
@access.needs("tuning.read")
def one(measure_id: int) -> str:
    """One of them, with what it would have hidden."""
    return _one(measure_id)


@exceptions.post("/rules/exceptions/<int:measure_id>/approve")
@access.needs("tuning.decide")
def approve(measure_id: int) -> Response | tuple[str, int]:
    """Let it take effect; true positives that it would have hidden are confirmed expressly."""
    confirmed = request.form.get("confirm") == "1"
    return _act(
        measure_id, "exception_approved",
        lambda session, version, note: measures.approve(
            session, access.me(), measure_id, expected_version=version, note=note, confirm_true_positives=confirmed
        ),
    )  # fmt: skip


@exceptions.post("/rules/exceptions/<int:measure_id>/refuse")
@access.needs("tuning.read")
def refuse(measure_id: int) -> Response | tuple[str, int]:
    """Refuse it, or withdraw one's own."""
    return _act(measure_id, "exception_refused", lambda session, version, note: measures.refuse(
        session, access.me(), measure_id, expected_version=version, note=note))  # fmt: skip


@exceptions.post("/rules/exceptions/<int:measure_id>/lift")
@access.needs("tuning.read")
def lift(measure_id: int) -> Response | tuple[str, int]:
    """End it: the exception is lifted, the rule is on again."""
    return _act(measure_id, "exception_lifted", lambda session, version, note: measures.lift(
        session, access.me(), measure_id, expected_version=version, note=note))  # fmt: skip


@exceptions.get("/rules/exceptions/<int:measure_id>/filter.yml")
@access.needs("tuning.read")
def download(measure_id: int) -> Response:
    """The exception as a Sigma filter; taking it out is written down."""
    with services().database.write() as session:
        measure = listing.get_measure(session, measure_id)
        rule = subject(session, measure.rule_id)
        text = sigma_filter(measure, rule.engine, rule.text)
        audit.append(session, access.me().actor, "rule.export", "rule", measure.rule_id[:128], detail={"measure": measure.id})
    return as_attachment(text.encode(), file_name(measure), "application/yaml")


def _act(measure_id: int, done: str, step: Callable[[Session, int, str], MeasureRecord]) -> Response | tuple[str, int]:
    version = request.form.get("version", -1, row_id)
    try:
        with services().database.write() as session:
            step(session, version, request.form.get("note", ""))
    except (Invalid, Conflict, Denied) as error:
        return _one(measure_id, error), refusals.status(error)
    return redirect(url_for("exceptions.one", measure_id=measure_id, done=done))


def _one(measure_id: int, error: LiandunError | None = None) -> str:
    wrong = refusals.explain(error) if error else []
    me = access.me()
    with services().database.read() as session:
        measure = listing.get_measure(session, measure_id)
        rule = subjects(session, [measure.rule_id]).get(measure.rule_id)
        told = preview(session, measure.rule_id, measure.conditions) if measure.conditions else None
        figure = figures.of_rule(session, measure.rule_id, PREVIEW_DAYS)
    own = measure.proposer_id == me.user_id
    mine = own or measure.owner == me.name
    return render_template(
        "rules/exception.html", one=measure, rule=rule, preview=told, figure=figure, wrong=wrong, own=own, mine=mine,
        true_positives=told.true_positives if told else figure.true_positives, days=PREVIEW_DAYS, hidden=_held_back(),
        may_lift=me.may("tuning.decide") or (mine and measure.kind == "exception" and me.may("tuning.propose")),
    )  # fmt: skip


def _form(
    session: Session, rule_id: str, conditions: tuple[Condition, ...], *, value: Any, fields: dict[str, Any] | None = None,
    looked: bool = False, error: LiandunError | None = None,
) -> str:  # fmt: skip
    rule = subject(session, rule_id)
    told = preview(session, rule_id, conditions) if looked or (conditions and error is None) else None
    rows = [*conditions, *[Condition("", "equals", "")] * 2][:MOST_CONDITIONS]
    return render_template(
        "rules/exception_form.html", rule=rule, rows=rows, preview=told, value=value, operators=OPERATORS, days=forms.DAYS,
        suggestions=forms.fields_of(fields or {}), wrong=refusals.explain(error) if error else [], most=MOST_CONDITIONS,
    )  # fmt: skip


def _refused(rule_id: str, conditions: tuple[Condition, ...], error: LiandunError) -> tuple[str, int]:
    if not rule_id:
        abort(404)
    with services().database.read() as session:
        return _form(session, rule_id, conditions, value=request.form, error=error), refusals.status(error)


def _held_back() -> dict[int, int]:
    """Detections dropped so far by measure."""
    return held_back(services().store.counters())
