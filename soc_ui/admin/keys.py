"""``/keys``: keys for programs. One's own; a security administrator sees, narrows and revokes those of everybody."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations import clock
from operations.accounts import keys as service
from operations.accounts import permissions as rights
from operations.accounts.schema import KeyRecord
from operations.errors import Invalid
from soc_ui import access
from soc_ui.accounts.proof import proven
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services

DAYS = 90
keys = Blueprint("keys", __name__)


@keys.get("/keys")
def page() -> str:
    """The list, newest first; ``whose=all`` for security administrators."""
    _needs_some()
    return _keys_page()


@keys.post("/keys")
@access.needs("keys.own")
@proven
def create() -> str | tuple[str, int]:
    """A new key. The answer to this very request is the only place where it is ever shown, so it is no redirect."""
    form = request.form
    try:
        with services().database.write() as session:
            made, secret = service.create_key(
                session,
                access.me(),
                form.get("name", ""),
                form.get("scope", "read"),
                form.get("days", 0, row_id),
                permissions=form.getlist("permissions"),
                networks=form.get("networks", "").replace(",", " ").split(),
            )
    except Invalid as error:
        return _keys_page(error=_refusal(error)), 422
    return _keys_page(made=made, secret=secret)


@keys.post("/keys/<int:key_id>/revoke")
def revoke(key_id: int) -> Response:
    """Makes a key worthless at once."""
    _needs_some()
    with services().database.write() as session:
        service.revoke_key(session, access.me(), key_id)
    return redirect(url_for("keys.page", whose=request.form.get("whose") or None, done="key"))


@keys.post("/keys/<int:key_id>/narrow")
@proven
def narrow(key_id: int) -> Response | tuple[str, int]:
    """Takes permissions away from a key; it is never given more."""
    _needs_some()
    try:
        with services().database.write() as session:
            service.narrow_key(session, access.me(), key_id, permissions=request.form.getlist("permissions"))
    except Invalid:
        return _keys_page(error=_("A key keeps at least one permission, and is never given more.")), 422
    return redirect(url_for("keys.page", whose=request.form.get("whose") or None, done="key_changed"))


def _needs_some() -> None:
    if not (access.me().may("keys.own") or access.me().may("keys.all")):
        abort(403)


def state(key: KeyRecord) -> str:
    """``active``, ``expired`` or ``revoked``."""
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at <= clock.now() else "active"


def _keys_page(*, error: str = "", made: KeyRecord | None = None, secret: str = "") -> str:
    me = access.me()
    with services().database.read() as session:
        found = service.list_keys(session, me)
    everybody = me.may("keys.all") and (request.values.get("whose") == "all" or not me.may("keys.own"))
    shown = found if everybody else [key for key in found if key.owner == me.name]
    return render_template(
        "admin/keys.html",
        keys=shown, everybody=everybody, state=state, scopes=service.SCOPES, max_days=service.MAX_DAYS, days=DAYS,
        possible=sorted(rights.for_keys(me.role) & me.permissions), error=error, made=made, secret=secret,
        form=request.form if error else {},
    )  # fmt: skip


def _refusal(error: Invalid) -> str:
    if error.field == "name":
        return _("A key needs a name of at most 128 characters.")
    if error.field == "days":
        return _("A key lives 1 to %(n)d days.", n=service.MAX_DAYS)
    if error.field == "networks":
        return _("Write networks as 10.1.0.0/16, 192.0.2.7 or 2001:db8::/32.")
    if error.field == "permissions":
        return _("A key can only have permissions that you have.")
    return _("A value breaks a rule.")
