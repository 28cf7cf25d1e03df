"""``/rules``: the list; ``/rules/<id>``: one rule; ``/rules/failures``: what could not be loaded and why."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, abort, render_template, request

from kernel.detection import level_rank
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.tuning import figures, listing
from operations.tuning.measures import FOUR_EYES
from soc_ui import access
from soc_ui.alerts.rule_source import highlight
from soc_ui.rule_titles import rule_text, rule_title
from soc_ui.rules.forms import DAYS
from soc_ui.services import RuleInfo, services

PAGE_ROWS = 50
FIGURE_DAYS = 30
MAX_COUNTED = 5000
rules = Blueprint("rules", __name__)


@rules.get("/rules")
@access.needs("rules.read")
def page() -> str:
    """The list, those with most alerts first, then by level; filters ``level``, ``engine``, ``q`` (title, id, tag, file)."""
    catalogue = services().rules()
    with services().database.read() as session:
        held = listing.in_force(session) if access.me().may("tuning.read") else {}
        counted = alerts.top(session, "rule", limit=MAX_COUNTED) if access.me().may("alerts.read") else []
        hits = {entry.value: entry.count for entry in counted}
    level, engine, text = request.args.get("level", ""), request.args.get("engine", ""), request.args.get("q", "").strip().lower()
    found = [rule for rule in catalogue.rules if level in ("", rule.level) and engine in ("", rule.engine) and _says(rule, text)]
    if request.args.get("fired"):
        found = [rule for rule in found if rule.id in hits]
    if request.args.get("sort") == "title":
        found.sort(key=lambda rule: rule_title(rule.id, rule.title).lower())
    else:
        found.sort(key=lambda rule: (-hits.get(rule.id, 0), -level_rank(rule.level), rule.title.lower()))
    number = max(1, request.args.get("page", 1, int))
    shown = found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return render_template(
        "rules/page.html", shown=shown, total=len(found), number=number, pages=-(-len(found) // PAGE_ROWS), hits=hits,
        by_level=Counter(rule.level for rule in catalogue.rules), by_engine=Counter(rule.engine for rule in catalogue.rules),
        everything=len(catalogue.rules), failures=len(catalogue.failures),
        off={rule_id for rule_id, found_ in held.items() if any(one.kind == "off" for one in found_)},
    )  # fmt: skip


@rules.get("/rules/failures")
@access.needs("rules.read")
def failures() -> str:
    """Rules that could not be loaded, with file, line and reason."""
    return render_template("rules/failures.html", failures=services().rules().failures)


@rules.get("/rules/<path:rule_id>")
@access.needs("rules.read")
def one(rule_id: str) -> str:
    """The text of a rule, its newest alerts, its figures and what holds it back."""
    rule = services().rules().find(rule_id)
    if rule is None:
        abort(404)
    with services().database.read() as session:
        may = access.me().may("alerts.read")
        newest = alerts.list_alerts(session, AlertFilter(rule=(rule_id,)), limit=10).alerts if may else []
        tuned = access.me().may("tuning.read")
        figure = figures.of_rule(session, rule_id, FIGURE_DAYS) if tuned else None
        living = ("active", "proposed")
        measures = listing.list_measures(session, states=living, rule_id=rule_id, limit=100).measures if tuned else []
    return render_template(
        "rules/one.html", rule=rule, lines=highlight(rule_text(rule), ()), newest=newest, figure=figure, measures=measures,
        days=FIGURE_DAYS, off_days=DAYS, second=level_rank(rule.level) >= FOUR_EYES,
    )  # fmt: skip


def _says(rule: RuleInfo, text: str) -> bool:
    if not text:
        return True
    hay = " ".join((rule.title, rule.title_zh, rule.id, rule.file, *rule.tags)).lower()
    return all(word in hay for word in text.split())
