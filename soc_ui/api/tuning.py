"""``/api/v1/rule-tuning``: figures of rules by verdicts, what distinguishes false positives, exceptions, switched-off rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE
from sqlalchemy.orm import Session

from kernel.rule_tuning.screen import held_back
from operations.audit import service as audit
from operations.errors import Invalid
from operations.tuning import listing, measures
from operations.tuning.distinguish import distinguish
from operations.tuning.preview import preview
from operations.tuning.schema import MeasureRecord, Proposal
from operations.tuning.sigma_filter import file_name, sigma_filter
from soc_ui.api import tuning_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import IfMatchIn
from soc_ui.download import as_attachment
from soc_ui.rules.figures import FigureFilter, Line, page_of
from soc_ui.rules.subject import subject
from soc_ui.services import services

tuning = APIBlueprint("api_tuning", __name__, url_prefix="/api/v1/rule-tuning", tag="rule tuning")
Body = dict[str, Any]
Tagged = tuple[Body, int, dict[str, str]]


@tuning.get("")
@permit(tuning, "tuning.read")
@tuning.input(schemas.FigureListIn, location="query", unknown=RAISE)
@tuning.output(schemas.FigurePageOut)
def list_figures(query_data: Body) -> Body:
    """List the rules that fired by what their verdicts say

    The most wasted work first.
    """
    cursor = query_data["cursor"]
    if cursor and not cursor.isdecimal():
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    where = FigureFilter(**{name: query_data[name] for name in ("engine", "level", "measure", "text")})
    start, limit = int(cursor or 0), query_data["limit"]
    with services().database.read() as session:
        page = page_of(session, query_data["days"], where, sort=query_data["sort"], start=start, limit=limit)
    following = str(start + limit) if start + limit < page.total else ""
    return {"rules": [_figures(line) for line in page.lines], "total": page.total, "next_cursor": following}


@tuning.get("/traits")
@permit(tuning, "tuning.propose")
@tuning.input(schemas.RuleKeyIn, location="query", unknown=RAISE)
@tuning.output(schemas.TraitsOut)
@tuning.doc(responses=[404])
def list_traits(query_data: Body) -> Body:
    """List what distinguishes the false positives of a rule

    Values that many alerts closed as false positive or benign have, and (nearly) none of the others.
    """
    with services().database.read() as session:
        return msgspec.to_builtins(distinguish(session, subject(session, query_data["rule"]).id))  # type: ignore[no-any-return]


@tuning.post("/preview")
@permit(tuning, "tuning.read")
@tuning.input(schemas.PreviewIn)
@tuning.output(schemas.PreviewOut)
@tuning.doc(responses=[404, 422])
def try_out(json_data: Body) -> Body:
    """Say what an exception would have hidden

    Of the alerts of the last 30 days; nothing is changed.
    """
    conditions = measures.check_conditions(measures.conditions_of(json_data["conditions"]))
    with services().database.read() as session:
        return msgspec.to_builtins(preview(session, subject(session, json_data["rule"]).id, conditions))  # type: ignore[no-any-return]


@tuning.get("/measures")
@permit(tuning, "tuning.read")
@tuning.input(schemas.MeasureListIn, location="query", unknown=RAISE)
@tuning.output(schemas.MeasurePageOut)
def list_measures(query_data: Body) -> Body:
    """List exceptions and switched-off rules

    Newest first.
    """
    with services().database.read() as session:
        page = listing.list_measures(
            session, states=query_data["state"], kind=query_data["kind"], rule_id=query_data["rule"],
            limit=query_data["limit"], cursor=query_data["cursor"],
        )  # fmt: skip
    counts = held_back(services().store.counters())
    return {"measures": [_measure(one, counts) for one in page.measures], "next_cursor": page.cursor}


@tuning.post("/exceptions")
@permit(tuning, "tuning.propose")
@tuning.input(schemas.ExceptionIn)
@tuning.output(schemas.MeasureOut, status_code=201)
@tuning.doc(responses=[403, 404, 409, 422])
def propose(json_data: Body) -> Tagged:
    """Propose an exception

    It takes effect when a security administrator who is somebody else approves it.
    """
    conditions = measures.check_conditions(measures.conditions_of(json_data["conditions"]))
    return _propose(json_data, conditions=conditions, owner=json_data["owner"], source_alert=json_data["alert"])


@tuning.post("/off")
@permit(tuning, "tuning.decide")
@tuning.input(schemas.OffIn)
@tuning.output(schemas.MeasureOut, status_code=201)
@tuning.doc(responses=[403, 404, 409, 422])
def switch_off(json_data: Body) -> Tagged:
    """Switch a rule off

    At once below the level high; else it is proposed, and a second security administrator approves it.
    """
    return _propose(json_data)


@tuning.get("/measures/<int:measure_id>")
@permit(tuning, "tuning.read")
@tuning.output(schemas.MeasureOut)
@tuning.doc(responses=[404])
def get_measure(measure_id: int) -> Tagged:
    """Read an exception or a switched-off rule

    The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        return _answer(listing.get_measure(session, measure_id))


@tuning.post("/measures/<int:measure_id>/approve")
@permit(tuning, "tuning.decide")
@tuning.input(IfMatchIn, location="headers")
@tuning.input(schemas.ApproveIn)
@tuning.output(schemas.MeasureOut)
@tuning.doc(responses=[403, 404, 409, 412, 428])
def approve(measure_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Approve

    By a person in a session, never a key; who proposed or owns it is refused with 403. Where it would have hidden true positives it
    is refused with 409 unless ``confirm_true_positives`` is set.
    """
    return _step(
        headers_data,
        lambda session, version: measures.approve(session, caller(), measure_id, expected_version=version, **json_data),
    )


@tuning.post("/measures/<int:measure_id>/refuse")
@permit(tuning, "tuning.read")
@tuning.input(IfMatchIn, location="headers")
@tuning.input(schemas.MeasureNoteIn)
@tuning.output(schemas.MeasureOut)
@tuning.doc(responses=[403, 404, 409, 412, 422, 428])
def refuse(measure_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Refuse, or withdraw one's own

    Refusing needs a note.
    """
    return _step(
        headers_data,
        lambda session, version: measures.refuse(session, caller(), measure_id, expected_version=version, note=json_data["note"]),
    )


@tuning.post("/measures/<int:measure_id>/lift")
@permit(tuning, "tuning.read")
@tuning.input(IfMatchIn, location="headers")
@tuning.input(schemas.MeasureNoteIn)
@tuning.output(schemas.MeasureOut)
@tuning.doc(responses=[403, 404, 409, 412, 422, 428])
def lift(measure_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Lift an exception, or switch a rule on again

    Needs a note. An exception also by who proposed or owns it.
    """
    return _step(
        headers_data,
        lambda session, version: measures.lift(session, caller(), measure_id, expected_version=version, note=json_data["note"]),
    )


@tuning.get("/measures/<int:measure_id>/sigma-filter")
@permit(tuning, "tuning.read")
@tuning.doc(responses={200: "YAML", 404: "", 422: ""})
def get_filter(measure_id: int) -> Response:
    """Export an exception as a Sigma filter

    Of Sigma rules only; the audit trail keeps it.
    """
    with services().database.write() as session:
        measure = listing.get_measure(session, measure_id)
        rule = subject(session, measure.rule_id)
        text = sigma_filter(measure, rule.engine, rule.text)
        audit.append(session, caller().actor, "rule.export", "rule", measure.rule_id[:128], detail={"measure": measure.id})
    return as_attachment(text.encode(), file_name(measure), "application/yaml")  # type: ignore[return-value]


def _propose(json_data: Body, **more: Any) -> Tagged:
    with services().database.write() as session:
        rule = subject(session, json_data["rule"])
        wanted = Proposal(
            rule.id, rule.title, rule.level, rule.engine, json_data["reason"], expires_at=json_data["expires_at"], **more
        )
        return _answer(measures.propose(session, caller(), wanted), 201)


def _step(headers: Body, act: Callable[[Session, int | None], MeasureRecord]) -> Tagged:
    version = expected_version(headers["if_match"])
    with services().database.write() as session:
        made = act(session, version)
    return _answer(made)


def _answer(measure: MeasureRecord, status: int = 200) -> Tagged:
    return _measure(measure, held_back(services().store.counters())), status, {"ETag": f'"{measure.version}"'}


def _measure(measure: MeasureRecord, counts: dict[int, int]) -> Body:
    return {**msgspec.to_builtins(measure), "held_back": counts.get(measure.id, 0)}


def _figures(line: Line) -> Body:
    known = {"title": line.rule.title, "level": line.rule.level, "engine": line.rule.engine}
    figures = {**msgspec.to_builtins(line.figures), "closed": line.figures.closed}
    return {**figures, **known, "off": line.off is not None, "exceptions": line.exceptions}
