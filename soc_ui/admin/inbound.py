"""``/webhooks/inbound``: other systems that may raise alerts, ``/webhooks/inbound/<n>``: one of them with its counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.detection import LEVELS
from operations.errors import Conflict, Invalid, Stale
from operations.inbound import service
from operations.zones import service as zones
from operations.zones.schema import ZoneRecord
from soc_ui import access
from soc_ui.inbound_refusals import refusals
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

inbound = Blueprint("inbound", __name__)
_NEW = {"name": "", "zone": "", "max_level": "high", "rate": "60"}


@inbound.get("/webhooks/inbound")
@access.needs("webhooks.manage")
def page() -> str:
    """All sources, and the form for a new one."""
    return _sources_page()


@inbound.post("/webhooks/inbound")
@access.needs("webhooks.manage")
def create() -> str | tuple[str, int]:
    """A new source. The answer to this very request is the only place where its signing secret is shown."""
    key, form = services().master_key, request.form
    if key is None:
        return _sources_page(error=_no_master_key()), 503
    try:
        with services().database.write() as session:
            source, secret = service.create(session, access.me().actor, key, **_values(form))
    except Conflict:
        return _sources_page(error=_("There are %(n)d sources already; remove one first.", n=service.MAX_SOURCES)), 409
    except Invalid as error:
        return _sources_page(error=_refusal(error)), 422
    return _source_page(source.id, secret=secret)


@inbound.get("/webhooks/inbound/<int:source_id>")
@access.needs("webhooks.manage")
def one(source_id: int) -> str:
    """One source: where messages go, what became of them, its settings."""
    return _source_page(source_id)


@inbound.post("/webhooks/inbound/<int:source_id>")
@access.needs("webhooks.manage")
def change(source_id: int) -> Response | tuple[str, int]:
    """Its settings. A form that was filled in before somebody else's change is refused."""
    form = request.form
    try:
        with services().database.write() as session:
            expected = form.get("version", 0, row_id)
            service.change(session, access.me().actor, source_id, **_values(form), expected_version=expected)
    except Stale:
        changed = _("Somebody else changed this source in the meantime; here is how it stands now.")
        return _source_page(source_id, error=changed), 409
    except Invalid as error:
        return _source_page(source_id, error=_refusal(error), form=form), 422
    return redirect(url_for("inbound.one", source_id=source_id, done="inbound"))


@inbound.post("/webhooks/inbound/<int:source_id>/switch")
@access.needs("webhooks.manage")
def switch(source_id: int) -> Response:
    """On or off (``enabled=on``, ``off``). While it is off, its messages are refused."""
    enabled = {"on": True, "off": False}.get(request.form.get("enabled", ""))
    with services().database.write() as session:
        service.change(session, access.me().actor, source_id, enabled=enabled)
    return redirect(url_for("inbound.one", source_id=source_id, done="inbound"))


@inbound.post("/webhooks/inbound/<int:source_id>/secret")
@access.needs("webhooks.manage")
def renew(source_id: int) -> str | tuple[str, int]:
    """A new signing secret, shown in this answer only; the present one stays good for a day."""
    key = services().master_key
    if key is None:
        return _source_page(source_id, error=_no_master_key()), 503
    with services().database.write() as session:
        secret = service.renew(session, access.me().actor, key, source_id)
    return _source_page(source_id, secret=secret)


@inbound.get("/webhooks/inbound/<int:source_id>/secret")
@access.needs("webhooks.manage")
def back(source_id: int) -> Response:
    """The address of an answer that is a page, asked for again (another language, a bookmark)."""
    return redirect(url_for("inbound.one", source_id=source_id))


@inbound.post("/webhooks/inbound/<int:source_id>/previous")
@access.needs("webhooks.manage")
def end_previous(source_id: int) -> Response:
    """The secret before the present one ends now."""
    with services().database.write() as session:
        service.end_previous(session, access.me().actor, source_id)
    return redirect(url_for("inbound.one", source_id=source_id, done="inbound"))


@inbound.post("/webhooks/inbound/<int:source_id>/remove")
@access.needs("webhooks.manage")
def remove(source_id: int) -> Response:
    """Removes the source; its alerts stay."""
    with services().database.write() as session:
        service.remove(session, access.me().actor, source_id)
    return redirect(url_for("inbound.page", done="inbound_removed"))


def _sources_page(*, error: str = "") -> str:
    _count()
    with services().database.read() as session:
        sources, plan = service.sources(session), zones.list_zones(session)
    return render_template(
        "admin/inbound.html",
        sources=sources, plan=plan, zone_name=_names(plan), levels=LEVELS, error=error, most=service.MAX_RATE,
        can_sign=services().master_key is not None,
        value=_filled(_NEW, request.form if error else {}),
    )  # fmt: skip


def _source_page(source_id: int, *, error: str = "", secret: str = "", form: Mapping[str, str] | None = None) -> str:
    _count()
    with services().database.read() as session:
        source, plan = service.get(session, source_id), zones.list_zones(session)
    origin = services().settings.public_origin or request.host_url.rstrip("/")
    stored = {"name": source.name, "zone": source.zone, "max_level": source.max_level, "rate": str(source.rate)}
    return render_template(
        "admin/inbound_source.html",
        source=source, plan=plan, zone_name=_names(plan), levels=LEVELS, error=error, secret=secret,
        most=service.MAX_RATE, outcomes=outcome_names(),
        address=f"{origin}/api/v1/inbound/{source.public_id}", value=_filled(stored, form or {}),
    )  # fmt: skip


def _count() -> None:
    """What was refused within the last second is told, too."""
    refusals().write(services().database)


def _names(plan: Sequence[ZoneRecord]) -> ZoneNames:
    return ZoneNames(record.zone for record in plan)


def _values(form: Mapping[str, str]) -> dict[str, Any]:
    rate = form.get("rate", "").strip()
    values = {"name": form.get("name", ""), "zone": form.get("zone", ""), "max_level": form.get("max_level", "")}
    return {**values, "rate": int(rate) if rate.isascii() and rate.isdigit() and len(rate) < 7 else 0}


def _filled(values: dict[str, str], form: Mapping[str, str]) -> dict[str, str]:
    return {name: form.get(name, value) for name, value in values.items()} if form else values


def outcome_names() -> dict[str, str]:
    """What becomes of messages, in the language of the page."""
    return {
        "accepted": _("Taken as alerts"),
        "repeated": _("Repeated, acknowledged only"),
        "signature": _("Refused: wrong signature"),
        "time": _("Refused: time is off by more than 5 minutes"),
        "disabled": _("Refused: source is off"),
        "rate": _("Refused: too many"),
        "size": _("Refused: too big"),
        "type": _("Refused: not JSON by its header"),
        "body": _("Refused: body does not fit"),
    }


def _no_master_key() -> str:
    return _("This console has no master key, so it cannot keep signing secrets. Start it through ./liandun serve.")


def _refusal(error: Invalid) -> str:
    if error.field == "name":
        return _("A source needs a name of at most 128 characters.")
    if error.field == "rate":
        return _("A source may send 1 to %(n)d messages a minute.", n=service.MAX_RATE)
    return _("A value breaks a rule.") + f" {error.message}"
