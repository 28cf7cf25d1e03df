"""``/assets``: every device that is registered or was seen; ``/assets/<key>``: one of them; registering, also many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from operations.advisories import listing as advisories
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter, AlertRow
from operations.assets import listing, register
from operations.assets.schema import AssetFilter, AssetRecord
from operations.audit import service as audit
from operations.errors import Conflict, Invalid
from operations.software import service as software
from operations.zones import service as zones
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.event_view import term
from soc_ui.inventory import forms
from soc_ui.inventory.addresses import asset_url
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.preferences import local_path
from soc_ui.recent import Recent
from soc_ui.services import services
from soc_ui.zones import problems
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
MAX_BULK = listing.MAX_PAGE
SHOWN_ALERTS, SHOWN_HISTORY, MOST_ADDRESSES = 10, 50, 8
MOST_SOFTWARE = 500
FILTERS = ("status", "zone", "kind", "bureau", "q")
inventory = Blueprint("inventory", __name__)


@inventory.get("/assets")
@access.needs("assets.read")
def page() -> str:
    """The list: facets, text, sort and place in the URL."""
    where, sort = _where(request.args), request.args.get("sort", "last_seen")
    with services().database.read() as session:
        found = listing.list_assets(session, where, sort=sort, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        total = listing.count_assets(session, where)
        name = _zone_names(session)
    links = Links(request.path, request.args, FILTERS)
    return render_template(
        "inventory/page.html",
        page=found, total=total, most=listing.COUNT_LIMIT, facets=_facets(), where=where, sort=sort, links=links,
        here=links.with_(cursor=request.args.get("cursor") or None), name=name, max_bulk=MAX_BULK, sorts=listing.SORTS,
    )  # fmt: skip


@inventory.get("/assets/<path:key>")
@access.needs("assets.read")
def one(key: str) -> str:
    """Everything known about a device; the form for those who may change it."""
    return asset_page(key)


@inventory.get("/asset")
@access.needs("assets.read")
def by_parameter() -> str:
    """The same for keys that no path can carry."""
    return asset_page(request.args.get("key", ""))


@inventory.get("/assets/new")
@access.needs("assets.write")
def new() -> str:
    """The empty form."""
    return _form_page()


@inventory.post("/assets/new")
@access.needs("assets.write")
def create() -> Response | tuple[str, int]:
    """Register a device that was not seen yet."""
    try:
        record = _register(request.form, version=None)
    except (Conflict, Invalid) as error:
        return _form_page(_refusal(error), request.form), 409 if isinstance(error, Conflict) else 422
    return redirect(asset_url(record.key, done="asset"))


@inventory.post("/asset/save")
@access.needs("assets.write")
def save() -> Response | tuple[str, int]:
    """Register a device that was seen (``key``), or change what is entered of a registered one."""
    key, form = request.form.get("key", ""), request.form
    try:
        # Under another id a seen device becomes that asset: the register finds it by its addresses.
        record = _register(form, version=form.get("version", 0, row_id) if form.get("id", "").strip() == key else None)
    except (Conflict, Invalid) as error:
        return asset_page(key, wrong=_refusal(error), form=form), 409 if isinstance(error, Conflict) else 422
    return redirect(asset_url(record.key, done="asset"))


@inventory.post("/asset/status")
@access.needs("assets.write")
def set_status() -> Response:
    """Retire a registered device, or take a retired one back (``status``)."""
    key = request.form.get("key", "")
    with services().database.write() as session:
        register.set_status(session, access.me().actor, key, request.form.get("status", ""), note=request.form.get("note", ""))
    return redirect(asset_url(key, done="asset"))


@inventory.post("/asset/forget")
@access.needs("assets.write")
def forget() -> Response:
    """Take a device off the list; it comes back when it is seen again."""
    with services().database.write() as session:
        register.forget(session, access.me().actor, request.form.get("key", ""))
    return redirect(url_for("inventory.page", done="forgotten"))


@inventory.post("/assets/bulk")
@access.needs("assets.write")
def preview() -> str | Response:
    """What registering the selected devices (``ids``: keys), or all that match the list's filters, would enter. Changes nothing."""
    back = local_path(request.form.get("next", "/assets"))
    with services().database.read() as session:
        if request.form.get("everything"):
            args = MultiDict(parse_qsl(urlsplit(back).query))
            chosen = listing.list_assets(session, _where(args, status="observed"), limit=MAX_BULK).assets
        else:
            chosen = _seen(session, request.form.getlist("ids")[:MAX_BULK])
        name = _zone_names(session)
    if not chosen:
        return redirect(f"{back}{'&' if '?' in back else '?'}done=nothing")
    return _preview_page(chosen, name, back)


@inventory.post("/assets/register")
@access.needs("assets.write")
def register_many() -> Response | tuple[str, int]:
    """Register the devices of the preview, all or none."""
    form, back = request.form, local_path(request.form.get("next", "/assets"))
    kind, bureau, note = (form.get(field, "").strip() for field in ("kind", "bureau", "note"))
    with services().database.read() as session:
        chosen, name = _seen(session, form.getlist("ids")[:MAX_BULK]), _zone_names(session)
    try:
        with services().database.write() as session:
            table = zones.zone_table(session)
            for record in chosen:
                wanted = forms.asset_of(record, kind=kind[:64], bureau=bureau[: forms.MAX_SHORT])
                register.register(session, access.me().actor, wanted, table, note=note, expected_version=record.version)
    except (Conflict, Invalid) as error:
        return _preview_page(chosen, name, back, wrong=_refusal(error)), 409 if isinstance(error, Conflict) else 422
    return redirect(f"{back}{'&' if '?' in back else '?'}done=registered&n={len(chosen)}")


def _facets() -> dict[str, dict[str, int]]:
    """Numbers of the facet column, at most some seconds old: counting 200,000 devices anew for each page would be felt."""
    kept: Recent[dict[str, dict[str, int]]] = current_app.extensions.setdefault("liandun_asset_facets", Recent())
    return kept.get(services().reach, _read_facets)


def _read_facets() -> dict[str, dict[str, int]]:
    with services().database.read() as session:
        return listing.facets(session)


def _where(args: Mapping[str, str], *, status: str = "") -> AssetFilter:
    chosen = {name: args.get(name, "")[:128] for name in ("status", "zone", "kind", "bureau")}
    return AssetFilter(**(chosen | ({"status": status} if status else {})), text=args.get("q", "").strip()[:200])


def _register(form: Mapping[str, str], *, version: int | None) -> AssetRecord:
    wanted = forms.asset_from(form)
    with services().database.write() as session:
        table, note = zones.zone_table(session), form.get("note", "").strip()
        return register.register(session, access.me().actor, wanted, table, note=note, expected_version=version)


def _zone_names(session: Session) -> ZoneNames:
    return ZoneNames(record.zone for record in zones.list_zones(session))


def _seen(session: Session, keys: Sequence[str]) -> list[AssetRecord]:
    """Those of the keys that are of devices seen but not registered, in the order given."""
    found = listing.of_keys(session, keys)
    return [found[key] for key in dict.fromkeys(keys) if key in found and found[key].status == "observed"]


def _refusal(error: Conflict | Invalid) -> list[problems.Problem]:
    return problems.explain(error)


def asset_page(key: str, *, wrong: list[problems.Problem] | None = None, form: Mapping[str, str] | None = None) -> str:
    """The page of a device, with what was wrong with a form of it."""
    with services().database.read() as session:
        record = register.get(session, key)
        newest = _alerts_about(session, record) if access.me().may("alerts.read") else []
        history = audit.listing(session, object_type="asset", object_id=key[:128], limit=SHOWN_HISTORY).entries
        name = _zone_names(session)
        programs = software.of_asset(session, key, limit=MOST_SOFTWARE)
        concerns = advisories.of_asset(session, record.id, limit=50) if access.me().may("advisories.read") else []
    return render_template(
        "inventory/one.html",
        software=programs, concerns=concerns, most_software=MOST_SOFTWARE,
        asset_=record, newest=newest, history=history, name=name, wrong=wrong or [], kinds=forms.KINDS,
        value=form if form is not None else forms.asset_values(record), event_query=_events_of(record),
    )  # fmt: skip


def _alerts_about(session: Session, record: AssetRecord) -> list[AlertRow]:
    """The newest alerts that name the device, or an address it has: before it was known, events could not name it."""
    about = [("asset", record.key), *(("ip", address) for address in record.addresses[:MOST_ADDRESSES])]
    found: dict[int, AlertRow] = {}
    for entity in about:
        where = AlertFilter(entity=(entity,))
        found |= {alert.id: alert for alert in alerts.list_alerts(session, where, limit=SHOWN_ALERTS).alerts}
    return sorted(found.values(), key=lambda alert: (alert.last_seen, alert.id), reverse=True)[:SHOWN_ALERTS]


def _events_of(record: AssetRecord) -> str:
    parts = [term(field, record.key) for field in ("source.asset.id", "destination.asset.id", "host.asset.id")]
    parts += [
        term(field, address)
        for address in record.addresses[:MOST_ADDRESSES]
        for field in ("source.ip", "destination.ip", "host.ip")
    ]
    return " OR ".join(parts)


def _form_page(wrong: list[problems.Problem] | None = None, form: Mapping[str, str] | None = None) -> str:
    return render_template("inventory/new.html", wrong=wrong or [], value=form or {}, kinds=forms.KINDS)


def _preview_page(chosen: Sequence[AssetRecord], name: ZoneNames, back: str, *, wrong: list[problems.Problem] | None = None) -> str:
    values: dict[str, Any] = {field: request.form.get(field, "") for field in ("kind", "bureau", "note")}
    return render_template(
        "inventory/preview.html",
        chosen=chosen, name=name, back=back, wrong=wrong or [], value=values, kinds=forms.KINDS, max_bulk=MAX_BULK,
        title=_("Register %(n)d devices", n=len(chosen)),
    )  # fmt: skip
