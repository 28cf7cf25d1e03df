"""``/risk``: zones and assets by risk; ``/risk/<kind>?key=…``: one with its reasons; ``/risk/settings``: the numbers behind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from operations.errors import Conflict, Invalid
from operations.risk import listing, settings
from operations.risk.schema import BANDS, FACTORS, RiskFilter
from operations.zones import service as zones
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.risk.words import band_name, factor_name, sentence
from soc_ui.services import services
from soc_ui.zones.names import ZoneNames

FILTERS = ("kind", "zone", "band", "q")
PAGE_ROWS = 50
MOVERS = 8
risk = Blueprint("risk", __name__)


@risk.get("/risk")
@access.needs("risk.read")
def page() -> str:
    """The list, with what rose most in seven days beside it."""
    where = _filter(request.args)
    sort = request.args.get("sort", "score")
    with services().database.read() as session:
        found = listing.list_risks(session, where, sort=sort, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        rising = listing.movers(session, where.kind, limit=MOVERS)
        keys = [row.key for row in (*found.rows, *rising)]
        context: dict[str, Any] = {
            "bands": listing.bands(session, where.kind),
            "lines": listing.series(session, where.kind, keys) if keys else {},
            "zones": [record.zone for record in zones.list_zones(session)],
        }
    name = ZoneNames(context["zones"])
    links = Links(request.path, request.args, FILTERS)
    return render_template(
        "risk/page.html", found=found, rising=rising, where=where, sort=sort, links=links, name=name, sorts=listing.SORTS, **context
    )


@risk.get("/risk/<any(asset, zone):kind>")
@access.needs("risk.read")
def one(kind: str) -> str:
    """One zone or asset (``key=``; a key may hold slashes) with the reasons of every factor."""
    with services().database.read() as session:
        detail = listing.get(session, kind, request.args.get("key", ""), days=60)
        name = ZoneNames(record.zone for record in zones.list_zones(session))
    told = {factor: [sentence(one, name) for one in detail.reasons if one.factor == factor] for factor in FACTORS}
    return render_template("risk/one.html", detail=detail, told=told, name=name, factors=FACTORS)


@risk.get("/risk/settings")
def numbers() -> str:
    """The numbers, and the form for those who may change them."""
    return _numbers()


@risk.post("/risk/settings")
@access.needs("risk.settings")
def change_numbers() -> Response | tuple[str, int]:
    """Save the numbers; refused where somebody else was quicker."""
    form = request.form
    try:
        with services().database.write() as session:
            settings.change(
                session, access.me(), _typed(form), form.get("source", ""), form.get("to_be_confirmed") == "1",
                expected_version=form.get("version", -1, row_id),
            )  # fmt: skip
    except (Conflict, Invalid) as error:
        code = 409 if isinstance(error, Conflict) else 422
        return _numbers(wrong=str(error)), code
    return redirect(url_for("risk.numbers", done="risk_numbers"))


def _numbers(wrong: str = "") -> str:
    if not (access.me().may("risk.read") or access.me().may("risk.settings")):
        abort(403)
    with services().database.read() as session:
        table = settings.get(session)
    return render_template("risk/settings.html", table=table, wrong=wrong, may=access.me().may("risk.settings"))


def _typed(form: MultiDict[str, str]) -> dict[str, Any]:
    """The numbers of the form, in the shape of the shipped ones. Raises Invalid."""

    def number(name: str) -> float:
        try:
            return float(form.get(name, ""))
        except ValueError:
            raise Invalid(f"{name} is no number", field=name) from None

    return {
        part: {key: number(f"{part}.{key}") for key in value} if isinstance(value, dict) else number(part)
        for part, value in settings.shipped().value.items()
    }


def _filter(args: MultiDict[str, str]) -> RiskFilter:
    kind, band = args.get("kind", "zone"), args.get("band", "")
    return RiskFilter(
        kind=kind if kind in ("zone", "asset") else "zone",
        zone=args.get("zone", "")[:64],
        band=band if band in BANDS else "",
        text=args.get("q", "")[:200],
    )


def install(app: Flask) -> None:
    """Gives templates ``factor_name()`` and ``band_name()``."""
    app.jinja_env.globals.update(factor_name=factor_name, band_name=band_name)
