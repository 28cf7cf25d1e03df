"""``/compliance``: the MLPS systems; ``/compliance/<n>``: how one stands, with its objects and the map of classes and objects."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from compliance.assessment import deciding, reading, scoring
from compliance.assessment.standing import standing
from compliance.catalogue.load import requirements
from compliance.probing import service as probing
from compliance.systems import objects, service
from compliance.systems.levels import IN_CATALOGUE
from compliance.systems.models import STATES
from compliance.systems.schema import ObjectFilter, SystemFilter
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import organisations_seen, owners
from operations.zones import service as zones
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.compliance import forms
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS, MAP_ROWS = 50, 40
FILTERS = ("state", "organisation", "level", "q")
RESULTS = ("gap", "met", "partly", "not_met", "not_applicable", "none")
compliance = Blueprint("compliance", __name__)


@compliance.get("/compliance")
@access.needs("compliance.read")
def page() -> str:
    """The list: FILTERS and ``cursor``."""
    args = request.args
    where = SystemFilter(
        state=args.get("state", "") if args.get("state") in STATES else "",
        organisation=args.get("organisation", "")[:128],
        level=args.get("level", 0, row_id),
        text=args.get("q", "")[:200],
    )
    with services().database.read() as session:
        found = service.list_systems(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        last = {one.id: next(iter(scoring.trend(session, one.id, "2025", limit=1)), None) for one in found.systems}
        organisations = _organisations(session)
    return render_template(
        "compliance/list.html", page=found, last=last, where=where, states=STATES, organisations=organisations,
        links=Links(request.path, args, FILTERS),
    )  # fmt: skip


@compliance.get("/compliance/new")
@access.needs("compliance.write")
def new() -> str:
    """The form of a new system."""
    return _edit(0)


@compliance.post("/compliance/new")
@access.needs("compliance.write")
def create() -> Response | tuple[str, int]:
    """Make a system."""
    try:
        with services().database.write() as session:
            made = service.create_system(session, access.me(), forms.system_draft(request.form))
    except (Invalid, Denied, Conflict) as error:
        return _edit(0, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=made.id, done="mlps"))


@compliance.get("/compliance/<int:system_id>/edit")
@access.needs("compliance.write")
def edit(system_id: int) -> str:
    """The form of a system."""
    return _edit(system_id)


@compliance.post("/compliance/<int:system_id>/edit")
@access.needs("compliance.write")
def change(system_id: int) -> Response | tuple[str, int]:
    """Change a system; refused where somebody else was quicker."""
    version = request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            draft = forms.system_draft(request.form)
            service.change_system(session, access.me(), system_id, draft, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _edit(system_id, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=system_id, done="mlps"))


@compliance.get("/compliance/<int:system_id>")
@access.needs("compliance.read")
def one(system_id: int) -> str:
    """How a system stands."""
    return _one(system_id)


@compliance.post("/compliance/<int:system_id>/objects")
@access.needs("compliance.write")
def add_object(system_id: int) -> Response | tuple[str, int]:
    """Add an object by hand, or those of the inventory (``inventory=1``)."""
    try:
        with services().database.write() as session:
            if request.form.get("inventory"):
                done = objects.take_over_assets(session, access.me(), system_id)
                return redirect(url_for("compliance.one", system_id=system_id, done="mlps_objects", n=done.made))
            objects.add_object(session, access.me(), system_id, forms.object_draft(request.form))
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=system_id, done="mlps_objects", n=1))


@compliance.post("/compliance/<int:system_id>/objects/<int:object_id>/removal")
@access.needs("compliance.write")
def take_out(system_id: int, object_id: int) -> Response | tuple[str, int]:
    """Take an object out."""
    form = request.form
    try:
        with services().database.write() as session:
            version = form.get("version", 0, row_id)
            objects.take_out(session, access.me(), system_id, object_id, form.get("reason", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=system_id, done="mlps"))


@compliance.post("/compliance/<int:system_id>/score")
@access.needs("compliance.write")
def keep_score(system_id: int) -> Response | tuple[str, int]:
    """Score now, and keep it for the trend."""
    try:
        with services().database.write() as session:
            scoring.keep(session, access.me(), system_id, request.form.get("template", ""))
    except Invalid as error:
        return _one(system_id, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=system_id, done="mlps_score"))


@compliance.post("/compliance/<int:system_id>/hazards")
@access.needs("compliance.decide")
def decide_hazard(system_id: int) -> Response | tuple[str, int]:
    """A person's word about a 重大风险隐患."""
    form = request.form
    try:
        with services().database.write() as session:
            trigger, value, reason = (form.get(name, "") for name in ("trigger", "value", "reason"))
            version = form.get("version", 0, row_id)
            deciding.decide(session, access.me(), system_id, "hazard", trigger, value, reason, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _one(system_id, error), refusals.status(error)
    return redirect(url_for("compliance.one", system_id=system_id, done="mlps_decided"))


def _one(system_id: int, error: LiandunError | None = None) -> str:
    args = request.args
    context: dict[str, Any] = {"found": None, "cells": {}, "kept": {}}
    where = ObjectFilter(kind=args.get("kind", "")[:32], text=args.get("q", "")[:200])
    with services().database.read() as session:
        system = service.get_system(session, system_id)
        page = objects.list_objects(session, system_id, where, limit=MAP_ROWS, cursor=args.get("cursor", ""))
        context["kinds"] = objects.count_kinds(session, system_id)
        context["targets"] = probing.with_names(session, system_id)
        if system.level.overall == IN_CATALOGUE:
            context["found"] = standing(session, system_id)
            context["cells"] = reading.heat(session, page.objects)
            context["kept"] = {name: scoring.trend(session, system_id, name, limit=30) for name in scoring.NAMES}
    result = args.get("result", "gap") if args.get("result", "gap") in (*RESULTS, "all") else "gap"
    return render_template(
        "compliance/system.html", system=system, page=page, where=where, result=result, results=RESULTS, templates=scoring.NAMES,
        extensions=_extensions(), links=Links(request.path, args, ("kind", "q", "result")),
        wrong=refusals.explain(error) if error else [], **context,
    )  # fmt: skip


def _edit(system_id: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        system = service.get_system(session, system_id) if system_id else None
        known = [record.zone for record in zones.list_zones(session)]
        organisations = _organisations(session)
    return render_template(
        "compliance/edit.html", system=system, zones=known, organisations=organisations, states=STATES, duties=service.DUTIES,
        extensions=_extensions(), people=forms.people_lines(system) if system else "", typed=request.form if error else None,
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip


def _extensions() -> dict[str, tuple[str, str]]:
    return {one.id: (one.zh, one.en) for one in requirements().extensions}


def _organisations(session: Session) -> list[str]:
    ours = organisations_seen(session)
    return sorted(owners(session) if ours is None else ours)
