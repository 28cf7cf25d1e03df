"""``/webhooks``: where new alerts are announced, ``/webhooks/<n>``: one target, ``/webhooks/deliveries``: all messages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.detection import LEVELS
from operations.errors import Conflict, Invalid
from operations.webhooks import service
from operations.webhooks.channels.registry import KINDS
from operations.webhooks.preview import preview
from operations.zones import service as zones
from soc_ui import access
from soc_ui.admin import routing_words, webhook_form, webhook_refusals
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.preferences import local_path
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
STATES = ("pending", "delivered", "dead")
webhooks = Blueprint("webhooks", __name__)


@webhooks.get("/webhooks")
@access.needs("webhooks.manage")
def page() -> str:
    """All targets, and the form for a new one."""
    return _targets_page()


@webhooks.post("/webhooks")
@access.needs("webhooks.manage")
def create() -> str | tuple[str, int]:
    """A new target. The answer to this very request is the only place where its signing secret is shown."""
    key, form = services().master_key, request.form
    if key is None:
        return _targets_page(error=_no_master_key()), 503
    try:
        kind, url, policy = form.get("kind", "standard"), form.get("url", "").strip(), services().webhook_policy
        service.look_at(kind, url, webhook_form.settings_in(_kind(kind), form), policy)
        with services().database.write() as session:
            target, secret = service.create_target(
                session,
                access.me().actor,
                key,
                name=form.get("name", ""),
                url=url,
                min_level=form.get("min_level", ""),
                kind=kind,
                settings=webhook_form.settings_in(_kind(kind), form),
                secret=form.get("secret", ""),
                policy=policy,
            )
            if form.get("waiting") == "on":  # routing is set before it is switched on
                service.change_target(session, access.me().actor, target.id, enabled=False)
    except Conflict:
        return _targets_page(error=_("There are %(n)d webhooks already; delete one first.", n=service.MAX_TARGETS)), 409
    except Invalid as error:
        return _targets_page(refusal=webhook_refusals.wrong(error, _kind(form.get("kind", "standard")))), 422
    return _target_page(target.id, secret=secret)


@webhooks.get("/webhooks/<int:target_id>")
@access.needs("webhooks.manage")
def one(target_id: int) -> str:
    """One target: its settings and its deliveries."""
    return _target_page(target_id)


@webhooks.post("/webhooks/<int:target_id>")
@access.needs("webhooks.manage")
def change(target_id: int) -> Response | tuple[str, int]:
    """Name, URL and level. A form that was filled in before somebody else's change is refused."""
    form = request.form
    with services().database.read() as session:
        kind = service.get_target(session, target_id).kind
    try:
        service.look_at(kind, form.get("url", "").strip(), webhook_form.settings_in(kind, form), services().webhook_policy)
        with services().database.write() as session:
            service.change_target(
                session,
                access.me().actor,
                target_id,
                key=services().master_key,
                settings=webhook_form.settings_in(kind, form),
                secret=form.get("secret") or None,
                name=form.get("name", "").strip(),
                url=form.get("url", "").strip(),
                min_level=form.get("min_level", ""),
                expected_version=form.get("version", 0, row_id),
                policy=services().webhook_policy,
            )
    except Conflict:
        return _target_page(
            target_id, error=_("Somebody else changed this webhook in the meantime; here is how it stands now.")
        ), 409
    except Invalid as error:
        return _target_page(target_id, refusal=webhook_refusals.wrong(error, kind), form=form), 422
    return redirect(url_for("webhooks.one", target_id=target_id, done="webhook"))


@webhooks.post("/webhooks/<int:target_id>/switch")
@access.needs("webhooks.manage")
def switch(target_id: int) -> Response | tuple[str, int]:
    """On or off (``enabled=on``, ``off``). While it is off, what waits keeps waiting."""
    enabled = {"on": True, "off": False}.get(request.form.get("enabled", ""))
    try:
        with services().database.write() as session:
            service.change_target(session, access.me().actor, target_id, enabled=enabled, policy=services().webhook_policy)
    except Invalid as error:
        return _target_page(target_id, error=webhook_refusals.wrong(error, "")[1]), 422
    return redirect(url_for("webhooks.one", target_id=target_id, done="webhook"))


@webhooks.post("/webhooks/<int:target_id>/secret")
@access.needs("webhooks.manage")
def renew_secret(target_id: int) -> str | tuple[str, int]:
    """A new signing secret, shown in this answer only."""
    key = services().master_key
    if key is None:
        return _target_page(target_id, error=_no_master_key()), 503
    with services().database.write() as session:
        secret = service.renew_secret(session, access.me().actor, key, target_id)
    return _target_page(target_id, secret=secret)


@webhooks.get("/webhooks/<int:target_id>/<any(switch, secret):act>")
@access.needs("webhooks.manage")
def back(target_id: int, act: str) -> Response:
    """The address of an answer that is a page, asked for again (another language, a bookmark)."""
    return redirect(url_for("webhooks.one", target_id=target_id))


@webhooks.post("/webhooks/<int:target_id>/test")
@access.needs("webhooks.manage")
def send_test(target_id: int) -> Response:
    """Queues a test message and opens its attempts."""
    with services().database.write() as session:
        delivery_id = service.send_test(session, access.me().actor, target_id)
    return redirect(url_for("webhooks.one", target_id=target_id, open=delivery_id, done="test"))


@webhooks.post("/webhooks/<int:target_id>/delete")
@access.needs("webhooks.manage")
def delete(target_id: int) -> Response:
    """Removes the target with its deliveries."""
    with services().database.write() as session:
        service.delete_target(session, access.me().actor, target_id)
    return redirect(url_for("webhooks.page", done="webhook_deleted"))


@webhooks.get("/webhooks/deliveries")
@access.needs("webhooks.manage")
def deliveries() -> str:
    """Messages to all targets; ``status=dead`` lists those that were given up."""
    with services().database.read() as session:
        names = {target.id: target.name for target in service.list_targets(session)}
        listed = _deliveries(session, None)
    return render_template("admin/deliveries.html", names=names, **listed)


@webhooks.post("/webhooks/deliveries/<int:delivery_id>/replay")
@access.needs("webhooks.manage")
def replay(delivery_id: int) -> Response:
    """Sends a message again, under the same id, with a full set of attempts."""
    with services().database.write() as session:
        delivery = service.replay(session, access.me().actor, delivery_id)
    back = request.form.get("next") or url_for("webhooks.one", target_id=delivery.target_id)
    return redirect(_with_notice(local_path(back), "replay"))


@webhooks.post("/webhooks/<int:target_id>/replay")
@access.needs("webhooks.manage")
def replay_dead(target_id: int) -> Response:
    """Sends all dead letters of a target again."""
    with services().database.write() as session:
        service.replay_dead(session, access.me().actor, target_id)
    return redirect(url_for("webhooks.one", target_id=target_id, done="replay"))


def _targets_page(*, error: str = "", refusal: tuple[str, str] = ("", "")) -> str:
    with services().database.read() as session:
        targets = service.list_targets(session)
        dead = service.list_deliveries(session, status="dead", limit=1).deliveries
    kind = _kind(request.form.get("kind") or request.args.get("kind", "standard"))
    return render_template(
        "admin/webhooks.html",
        targets=targets, levels=LEVELS, dead=bool(dead), error=error or _above(refusal), wrong_at=refusal[0], wrong=refusal[1],
        kinds=webhook_form.kind_names(), kind=kind,
        asked=webhook_form.fields_of(kind), value=webhook_form.filled(None, request.form if error or refusal[1] else {}),
        can_sign=services().master_key is not None,
    )  # fmt: skip


def _target_page(
    target_id: int, *, error: str = "", secret: str = "", form: Any = None, refusal: tuple[str, str] = ("", "")
) -> str:
    with services().database.read() as session:
        target = service.get_target(session, target_id)
        listed = _deliveries(session, target_id)
        plan = [record.zone for record in zones.list_zones(session)]
    asked = webhook_form.fields_of(target.kind)
    chosen = (target.kind, str(target.settings.get("language", "zh")), str(target.settings.get("template", "")))
    return render_template(
        "admin/webhook.html",
        target=target, levels=LEVELS, error=error or _above(refusal), wrong_at=refusal[0], wrong=refusal[1],
        secret=secret, kinds=webhook_form.kind_names(), asked=asked,
        value=webhook_form.filled(target, form or {}), example=preview(*chosen) if asked["chat"] else None,
        w=routing_words, zone_name=ZoneNames(plan), **listed,
    )  # fmt: skip


def _deliveries(session: Session, target_id: int | None) -> dict[str, Any]:
    """One page of deliveries as the URL asks for it, with the attempts of the one that is opened."""
    status = request.args.get("status", "")
    status = status if status in STATES else ""
    found = service.list_deliveries(session, target_id, status=status, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
    opened = request.args.get("open", 0, row_id)
    known = any(delivery.id == opened for delivery in found.deliveries)
    attempts = service.list_attempts(session, opened) if known else []
    return {"page": found, "status": status, "states": STATES, "opened": opened, "attempts": attempts}


def _kind(text: str) -> str:
    """A kind that there is; the first one else."""
    return text if text in KINDS else KINDS[0]


def _above(refusal: tuple[str, str]) -> str:
    """What stands above the form: the reason itself where it belongs to no field."""
    field, reason = refusal
    return f"{_('Nothing was changed.')} {_('One entry below is not possible.')}" if field else reason


def _with_notice(path: str, notice: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}done={notice}"


def _no_master_key() -> str:
    return _("This console has no master key, so it cannot keep signing secrets. Start it through ./liandun serve.")
