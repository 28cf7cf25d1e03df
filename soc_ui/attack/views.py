"""``/attack``: the matrix of techniques with rules and alerts; ``/attack/layer.json``: the same for the ATT&CK Navigator."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, current_app, json, render_template, request

from kernel.event import timestamp
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from soc_ui import access, times
from soc_ui.attack.matrix import DOMAINS, Matrix, build, data, layer
from soc_ui.recent import Recent
from soc_ui.services import services

DAYS = 30
_MOST_TAGS = 2000
attack = Blueprint("attack", __name__)


@attack.get("/attack")
@access.needs("rules.read")
def page() -> str:
    """The matrix; ``gaps=1`` shows only what no rule covers."""
    matrix, exact = _matrix()
    with services().database.read() as session:
        sample = alerts.sample_size(session)
    heat = max((cell.all_alerts for cell in matrix.techniques.values()), default=0)
    tagged = sum(any(tag.lower().startswith("attack.t") for tag in rule.tags) for rule in services().rules().rules)
    return render_template(
        "attack/page.html", matrix=matrix, exact=exact, domain=_domain(), domains=DOMAINS, gaps=request.args.get("gaps") == "1",
        heat=heat, tagged=tagged, about=data(), sample=sample, days=DAYS,
    )  # fmt: skip


@attack.get("/attack/layer.json")
@access.needs("rules.read")
def navigator() -> Response:
    """The layer as a file."""
    matrix, _exact = _matrix()
    response = Response(json.dumps(layer(matrix, f"Liandun {_domain()}")), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"liandun-{_domain()}-layer.json")
    return response


def _domain() -> str:
    chosen = request.args.get("domain", "")
    return chosen if chosen in DOMAINS else DOMAINS[0]


def _matrix() -> tuple[Matrix, bool]:
    """Of the rules in use and the alerts that this person may see; False where only the newest alerts were counted."""
    counted: dict[str, int] = {}
    exact = True
    if access.me().may("alerts.read"):
        kept: Recent[tuple[dict[str, int], bool]] = current_app.extensions.setdefault("liandun_attack", Recent())
        counted, exact = kept.get(services().reach, _heat)
    return build(_domain(), [rule.tags for rule in services().rules().rules], counted), exact


def _heat() -> tuple[dict[str, int], bool]:
    start = timestamp(times.now() - timedelta(days=DAYS))
    with services().database.read() as session:
        facet = alerts.facets(session, AlertFilter(start=start), ("tag",), limit=_MOST_TAGS)[0]
    return {value.value: value.count for value in facet.values}, facet.exact
