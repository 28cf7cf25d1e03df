"""The software of one asset, on its page: entered, changed, taken off, imported."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from operations.errors import Conflict, Invalid
from operations.software import service
from operations.software.schema import Entry
from soc_ui import access, refusals
from soc_ui.inventory.addresses import asset_url
from soc_ui.inventory.views import asset_page
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones.problems import Problem

asset_software = Blueprint("asset_software", __name__)


@asset_software.get("/asset/software")
@access.needs("assets.read")
def again() -> Response:
    """The address of an answer that is a page, asked for again."""
    return redirect(url_for("inventory.page"))


@asset_software.post("/asset/software")
@access.needs("assets.write")
def change() -> Response | tuple[str, int]:
    """``act`` add, change or remove, for the asset ``key``."""
    form, key = request.form, request.form.get("key", "")
    number, version = form.get("id", 0, row_id), form.get("version", 0, row_id)
    entry = Entry(
        **{name: form.get(name, "") for name in ("product", "vendor", "release", "cpe")}, scheme=form.get("scheme", "generic")
    )
    try:
        with services().database.write() as session:
            if form.get("act") == "remove":
                service.remove(session, access.me().actor, key, number, expected_version=version)
            elif form.get("act") == "change":
                service.change(session, access.me().actor, key, number, entry, expected_version=version)
            else:
                service.add(session, access.me().actor, key, entry)
    except (Invalid, Conflict) as error:
        return asset_page(key, wrong=refusals.explain(error)), refusals.status(error)
    return redirect(asset_url(key, done="software"))


@asset_software.post("/asset/software/import")
@access.needs("assets.write")
def take_in() -> Response | str | tuple[str, int]:
    """A list of the asset ``key``: ``format``, ``file``, ``whole``. What was left out is told with its place."""
    form, key = request.form, request.form.get("key", "")
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("file is missing", field="file")
        text = sent.read().decode("utf-8-sig", "replace")
        with services().database.write() as session:
            kind, whole = form.get("format", ""), form.get("whole") == "1"
            taken = service.take_in(session, access.me().actor, kind, text, asset=key, whole=whole)
    except (Invalid, Conflict) as error:
        return asset_page(key, wrong=refusals.explain(error)), refusals.status(error)
    if taken.problems:
        return asset_page(key, wrong=[Problem(0, "", one.where, one.why) for one in taken.problems])
    return redirect(asset_url(key, done="software_import", n=str(taken.made + taken.seen)))


@asset_software.get("/asset/software/import")
@access.needs("assets.read")
def import_again() -> Response:
    """The address of an answer that is a page, asked for again."""
    return redirect(url_for("inventory.page"))
