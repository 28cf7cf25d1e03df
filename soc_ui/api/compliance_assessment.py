"""``/api/v1/compliance/systems/<id>/…``: verdicts, decisions and scores of a system."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response
from marshmallow import RAISE

from compliance.assessment import deciding, reading, record, scoring
from compliance.assessment.schema import CryptoDetail, Finding
from compliance.assessment.standing import standing
from compliance.evidence import keeping, viewing
from compliance.evidence.schema import Viewed
from crypto.secret import MasterKey
from soc_ui.api import compliance_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.preconditions import put
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Paging
from soc_ui.api.zone_schemas import PreconditionIn
from soc_ui.download import as_attachment
from soc_ui.services import services

PREFIX = "/api/v1/compliance/systems/<int:system_id>"
compliance_assessment = APIBlueprint("api_compliance_assessment", __name__, url_prefix=PREFIX, tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@compliance_assessment.get("/assessment")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.output(schemas.StandingOut)
@compliance_assessment.doc(responses=[404, 422])
def get_assessment(system_id: int) -> Body:
    """How a system stands: its items with their results, classes, major hazards, decisions"""
    with services().database.read() as session:
        found = standing(session, system_id)
    told: Body = msgspec.to_builtins(found)
    told.pop("system")
    return told


@compliance_assessment.post("/findings")
@permit(compliance_assessment, "compliance.write")
@compliance_assessment.input(schemas.FindingsIn)
@compliance_assessment.output(schemas.BatchOut)
@compliance_assessment.doc(responses=[404])
def record_findings(system_id: int, json_data: Body) -> Body:
    """Record what probes found

    Findings that cannot be are told, by their place in the list; the others are recorded.
    """
    findings = [Finding(**{**one, "crypto": _crypto(one["crypto"])}) for one in json_data["findings"]]
    with services().database.write() as session:
        done = record.record_many(session, caller().actor, system_id, findings, source="probe")
    refused = {str(place): why for place, why in done.refused.items()}
    return {"recorded": done.recorded, "changed": done.changed, "drifted": len(done.drifts), "refused": refused}


@compliance_assessment.get("/verdicts/<item>")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(schemas.VerdictListIn, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.VerdictsOut)
@compliance_assessment.doc(responses=[404])
def list_verdicts(system_id: int, item: str, query_data: Body) -> Body:
    """List the verdicts of an item by object"""
    with services().database.read() as session:
        page = reading.verdicts_of(session, system_id, item, **query_data)
    return {"verdicts": msgspec.to_builtins(page.verdicts), "next_cursor": page.cursor}


@compliance_assessment.get("/verdicts/<item>/history")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(schemas.HistoryIn, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.HistoryOut)
@compliance_assessment.doc(responses=[404])
def list_history(system_id: int, item: str, query_data: Body) -> Body:
    """What was said about an item, newest first"""
    with services().database.read() as session:
        return {"steps": msgspec.to_builtins(reading.history(session, system_id, item, query_data["object_id"]))}


@compliance_assessment.get("/verdicts/<item>/<int:object_id>/evidence")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.output(schemas.ViewedOut)
@compliance_assessment.doc(responses=[404])
def view_evidence(system_id: int, item: str, object_id: int) -> Body:
    """What a verdict names as its evidence, and whether the seal holds"""
    with services().database.read() as session:
        return _viewed(viewing.of_verdict(session, caller(), system_id, item, object_id))


@compliance_assessment.get("/verdicts/<item>/<int:object_id>/evidence/raw")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@compliance_assessment.doc(responses=[403, 404, 409])
def open_evidence(system_id: int, item: str, object_id: int) -> Response:
    """Open the raw evidence of a verdict

    That it was opened stands in the audit trail.
    """
    key = _key()
    with services().database.write() as session:
        found, content = viewing.open_raw(session, key, caller(), system_id, item, object_id)
    answer = as_attachment(content, found.name, "application/octet-stream")
    return Response(answer.get_data(), headers=answer.headers)


@compliance_assessment.get("/evidence")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(Paging, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.EvidencePageOut)
@compliance_assessment.doc(responses=[404])
def list_evidence(system_id: int, query_data: Body) -> Body:
    """List the evidence that people brought, newest first"""
    with services().database.read() as session:
        found, cursor = keeping.list_evidence(session, system_id, **query_data)
    return {"evidence": msgspec.to_builtins(found), "next_cursor": cursor}


@compliance_assessment.post("/evidence")
@permit_any(compliance_assessment, "compliance.write", "compliance.answer")
@compliance_assessment.input(schemas.EvidenceIn, location="form_and_files")
@compliance_assessment.output(schemas.EvidenceKeptOut, status_code=201)
@compliance_assessment.doc(responses=[404, 413])
def keep_evidence(system_id: int, form_and_files_data: Body) -> tuple[Body, int]:
    """Seal a file as evidence; verdicts name it by its SM3"""
    sent, key = form_and_files_data["file"], _key()
    content = sent.stream.read(keeping.MOST_BYTES + 1)
    with services().database.write() as session:
        made = keeping.keep(session, key, caller(), system_id, sent.filename or "", content, form_and_files_data["note"])
    return msgspec.to_builtins(made), 201


@compliance_assessment.put("/verdicts/<item>/<int:object_id>")
@permit(compliance_assessment, "compliance.write")
@compliance_assessment.input(PreconditionIn, location="headers")
@compliance_assessment.input(schemas.VerdictIn)
@compliance_assessment.output(schemas.VerdictOut)
@compliance_assessment.doc(responses=[201, 404, 412, 428])
def give_verdict(
    system_id: int, item: str, object_id: int, headers_data: Body, json_data: Body
) -> tuple[Body, int, dict[str, str]]:
    """Give a verdict, as a person; object 0 is the system as a whole"""
    crypto = _crypto(json_data.pop("crypto"))
    verdict = json_data.pop("verdict")
    with services().database.write() as session:
        _, status = put(
            headers_data,
            lambda: reading.verdict_of(session, system_id, item, object_id).version,
            lambda version: record.record(
                session, caller().actor, system_id, item, object_id, verdict, source="person", crypto=crypto,
                expected_version=version or 0, **json_data,
            ),
        )  # fmt: skip
        found = reading.verdict_of(session, system_id, item, object_id)
    return msgspec.to_builtins(found), status, {"ETag": f'"{found.version}"'}


@compliance_assessment.post("/verdicts/<item>/<int:object_id>/withdrawal")
@permit(compliance_assessment, "compliance.write")
@compliance_assessment.input(IfMatchIn, location="headers")
@compliance_assessment.input(schemas.ReasonIn)
@compliance_assessment.output({}, status_code=204)
@compliance_assessment.doc(responses=[404, 412, 428])
def withdraw_verdict(system_id: int, item: str, object_id: int, headers_data: Body, json_data: Body) -> tuple[str, int]:
    """Withdraw a person's verdict: what the probe said last counts again"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        record.withdraw(session, caller().actor, system_id, item, object_id, json_data["reason"], expected_version=version)
    return "", 204


@compliance_assessment.post("/decisions")
@permit(compliance_assessment, "compliance.decide")
@compliance_assessment.input(schemas.DecisionIn)
@compliance_assessment.output(schemas.DecisionOut)
@compliance_assessment.doc(responses=[404, 412])
def decide(system_id: int, json_data: Body) -> Body:
    """Decide on a compensation, the grade of a risk, a major hazard, or what the texts leave open"""
    version = json_data.pop("version")
    with services().database.write() as session:
        made = deciding.decide(session, caller(), system_id, **json_data, expected_version=version)
    return msgspec.to_builtins(made)  # type: ignore[no-any-return]


@compliance_assessment.post("/decisions/withdrawal")
@permit(compliance_assessment, "compliance.decide")
@compliance_assessment.input(schemas.WithdrawalIn)
@compliance_assessment.output({}, status_code=204)
@compliance_assessment.doc(responses=[404, 412])
def withdraw_decision(system_id: int, json_data: Body) -> tuple[str, int]:
    """Withdraw a decision"""
    version = json_data.pop("version")
    with services().database.write() as session:
        deciding.withdraw(session, caller(), system_id, **json_data, expected_version=version)
    return "", 204


@compliance_assessment.get("/decisions/history")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(schemas.DecisionHistoryIn, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.DecisionHistoryOut)
@compliance_assessment.doc(responses=[404])
def list_decisions(system_id: int, query_data: Body) -> Body:
    """List what was decided, newest first; what was withdrawn too"""
    with services().database.read() as session:
        found = deciding.history(session, system_id, query_data["subject"], kind=query_data["kind"])
    return {"decisions": msgspec.to_builtins(found)}


@compliance_assessment.get("/score")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(schemas.TemplateIn, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.ScoreOut)
@compliance_assessment.doc(responses=[404, 422])
def get_score(system_id: int, query_data: Body) -> Body:
    """Score a system now, by a template"""
    with services().database.read() as session:
        found = scoring.score(session, system_id, query_data["template"])
    return {**msgspec.to_builtins(found), "provisional": found.provisional}


@compliance_assessment.get("/scores")
@permit(compliance_assessment, "compliance.read")
@compliance_assessment.input(schemas.TemplateIn, location="query", unknown=RAISE)
@compliance_assessment.output(schemas.TrendOut)
@compliance_assessment.doc(responses=[404])
def list_scores(system_id: int, query_data: Body) -> Body:
    """The scores that were kept, newest first"""
    with services().database.read() as session:
        return {"scores": msgspec.to_builtins(scoring.trend(session, system_id, query_data["template"]))}


@compliance_assessment.post("/scores")
@permit(compliance_assessment, "compliance.write")
@compliance_assessment.input(schemas.TemplateIn)
@compliance_assessment.output(schemas.KeptScoreOut, status_code=201)
@compliance_assessment.doc(responses=[404, 422])
def keep_score(system_id: int, json_data: Body) -> tuple[Body, int]:
    """Score a system now and keep it for the trend"""
    with services().database.write() as session:
        made = scoring.keep(session, caller(), system_id, json_data["template"])
    return msgspec.to_builtins(made), 201


def _viewed(found: Viewed) -> Body:
    return {**msgspec.to_builtins(found), "sealed": found.sealed}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "without a master key nothing is sealed or opened here", "start it through ./liandun serve")
    return key


def _crypto(body: Body | None) -> CryptoDetail | None:
    return CryptoDetail(**body) if body else None
