"""``/rules/tuning``: what the verdicts say about the rules; ``/rules/tuning/traits``: what distinguishes one's false positives."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from kernel.detection import LEVELS
from operations.tuning import figures, listing
from operations.tuning.distinguish import distinguish
from operations.tuning.schema import PERIODS
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.rules.figures import MEASURES, FigureFilter, page_of
from soc_ui.rules.subject import subject
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("engine", "level", "measure", "q")
DAYS = 30
tuning = Blueprint("tuning", __name__)


@tuning.get("/rules/tuning")
@access.needs("tuning.read")
def page() -> str:
    """The rules that fired, the most wasted work first: ``days``, FILTERS, ``sort``, ``page``."""
    args = request.args
    days = args.get("days", DAYS, int)
    days = days if days in PERIODS else DAYS
    sort = args.get("sort", "wasted")
    sort = sort if sort.removeprefix("-") in figures.SORTS else "wasted"
    where = FigureFilter(
        engine=args.get("engine", "")[:16],
        level=args.get("level", "") if args.get("level") in LEVELS else "",
        measure=args.get("measure", "") if args.get("measure") in MEASURES else "",
        text=args.get("q", "")[:200],
    )
    number = max(1, min(args.get("page", 1, int), 10_000))
    with services().database.read() as session:
        found = page_of(session, days, where, sort=sort, start=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
        waiting = listing.count_proposed(session)
    links = Links(request.path, args, FILTERS)
    return render_template(
        "rules/tuning.html", found=found, where=where, days=days, periods=PERIODS, sort=sort, links=links, number=number,
        pages=-(-found.total // PAGE_ROWS), waiting=waiting,
    )  # fmt: skip


@tuning.get("/rules/tuning/traits")
@access.needs("tuning.propose")
def traits() -> str:
    """What the false positives of ``rule`` have in common and its other alerts have not."""
    with services().database.read() as session:
        rule = subject(session, request.args.get("rule", ""))
        found = distinguish(session, rule.id)
        figure = figures.of_rule(session, rule.id, DAYS)
    return render_template("rules/traits.html", rule=rule, found=found, figure=figure, days=DAYS)
