"""``/compliance/<n>/crypto``: how a system stands by GB/T 39786 (密评), its units with D, A and K, and high risks."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from compliance.assessment import deciding, reading, record
from compliance.assessment.crypto_standing import CryptoStanding, crypto_standing, unit_standing
from compliance.assessment.schema import CryptoDetail
from compliance.scoring.crypto import CryptoObject, object_score, verdict_of
from compliance.systems import objects
from compliance.systems.applicability import scope_of
from compliance.verdicts import Verdict
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.numbers import row_id
from soc_ui.services import services

MOST_OBJECTS, MOST_STEPS = 500, 50
MANAGEMENT = tuple(verdict.value for verdict in Verdict)
compliance_crypto = Blueprint("compliance_crypto", __name__)


@compliance_crypto.get("/compliance/<int:system_id>/crypto")
@access.needs("compliance.read")
def page(system_id: int) -> str:
    """The total, the layers and the units."""
    return _page(system_id)


@compliance_crypto.post("/compliance/<int:system_id>/crypto")
@access.needs("compliance.decide")
def decide(system_id: int) -> Response | tuple[str, int]:
    """A person found a high risk (``kind`` crypto_risk), or says why a failed unit is none (crypto_lowered); or takes that back."""
    form = request.form
    kind, subject, reason = (form.get(name, "") for name in ("kind", "subject", "reason"))
    version = form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            if kind not in ("crypto_risk", "crypto_lowered"):
                raise Invalid(f"there is no decision {kind[:24]!r} here", "crypto_risk or crypto_lowered", field="kind")
            if form.get("withdraw"):
                deciding.withdraw(session, access.me(), system_id, kind, subject, reason, expected_version=version)
            else:
                value = "found" if kind == "crypto_risk" else "no"
                deciding.decide(session, access.me(), system_id, kind, subject, value, reason, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _page(system_id, error), refusals.status(error)
    return redirect(url_for("compliance_crypto.page", system_id=system_id, done="mlps_decided"))


@compliance_crypto.get("/compliance/<int:system_id>/crypto/<unit>")
@access.needs("compliance.read")
def one(system_id: int, unit: str) -> str:
    """A unit with its objects."""
    return _one(system_id, unit)


@compliance_crypto.post("/compliance/<int:system_id>/crypto/<unit>")
@access.needs("compliance.write")
def judge(system_id: int, unit: str) -> Response | tuple[str, int]:
    """A person's word on an object, or ``withdraw`` it; refused where somebody else was quicker."""
    form = request.form
    target, version = form.get("object", 0, row_id), form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            who, reason = access.me().actor, form.get("reason", "")
            if form.get("withdraw"):
                record.withdraw(session, who, system_id, unit, target, reason, expected_version=version)
            else:
                verdict, found = _said(form)
                record.record(
                    session, who, system_id, unit, target, verdict, source="person", reason=reason, crypto=found,
                    evidence=form.get("evidence", ""), expected_version=version,
                )  # fmt: skip
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, unit, error), refusals.status(error)
    return redirect(url_for("compliance_crypto.one", system_id=system_id, unit=unit, done="mlps_verdict"))


def _said(form: MultiDict[str, str]) -> tuple[str, CryptoDetail | None]:
    """The verdict of a management unit, or D, A and K and what they come to."""
    if form.get("verdict") != "measured":
        return form.get("verdict", ""), None
    other, _sign, there = form.get("made_up_by", "").partition(":")
    if other and not there.isdecimal():
        raise Invalid(f"{other[:24]!r} names no object", field="made_up_by")
    found = CryptoDetail(
        *(bool(form.get(name)) for name in ("D", "A", "K")), form.get("bits", 0, row_id), bool(form.get("module_level_1")),
        other[:24], int(there[:18]) if other else 0,
    )  # fmt: skip
    return verdict_of(object_score(CryptoObject("", found.D, found.A, found.K, found.bits, found.module_level_1))).value, found


def _page(system_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = _checked(session, crypto_standing(session, system_id))
    return render_template(
        "compliance/crypto.html", system=found.system, found=found, typed=request.form if error else {},
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _one(system_id: int, unit: str, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        whole, found = unit_standing(session, system_id, unit)
        _checked(session, whole)
        there = objects.list_objects(session, system_id, limit=MOST_OBJECTS).objects
        steps = reading.history(session, system_id, unit, limit=MOST_STEPS)
    judged = {row.object_id for row in found.rows}
    others = [(one.unit, row) for one in whole.units if one.technical for row in one.rows if row.verdict != "not_applicable"]
    return render_template(
        "compliance/crypto_unit.html", system=whole.system, whole=whole, found=found, steps=steps, others=others,
        verdicts=MANAGEMENT, free=[one for one in there if one.id not in judged], names={one.id: one.name for one in there},
        wrong=refusals.explain(error) if error else [], typed=request.form if error else {},
    )  # fmt: skip


def _checked(session: Session, found: CryptoStanding) -> CryptoStanding:
    """Raises Invalid for a level that the catalogue does not hold."""
    scope_of(session, found.system)
    return found
