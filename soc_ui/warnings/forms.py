"""Forms of warnings and of the tables of the site: what a person typed, and back."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from kernel.detection import LEVELS as ALERT_LEVELS
from operations.errors import Invalid
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS
from operations.warnings.schema import MAX_RECEIVERS, SOURCES, STATUSES, TEXTS, Adjustment, BoardFilter, Draft
from soc_ui.locale import _

FILTERS = ("status", "level", "source", "organisation", "zone", "q", "overdue", "mine")
MAX_TEXT = 200


def board_filter(args: MultiDict[str, str]) -> BoardFilter:
    """The filter that the URL asks for; values that do not exist are left out."""

    def chosen(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value for value in dict.fromkeys(args.getlist(name)) if value in known)

    return BoardFilter(
        status=chosen("status", STATUSES),
        level=chosen("level", LEVELS),
        source=chosen("source", SOURCES),
        organisation=args.get("organisation", "")[:MAX_TEXT],
        zone=args.get("zone", "")[:MAX_TEXT],
        text=args.get("q", "")[:MAX_TEXT],
        overdue=args.get("overdue") == "1",
        mine=args.get("mine") == "1",
    )


def draft(form: MultiDict[str, str]) -> Draft:
    """The draft of a form."""
    texts = {name: form.get(name, "") for name in ("title", *TEXTS)}
    factors = {name: form.get(name, "general") for name in ("importance", "harm")}
    return Draft(
        **texts, **factors, level=form.get("level", ""), organisations=names(form, "organisations"), zones=names(form, "zones")
    )


def names(form: MultiDict[str, str], field: str) -> tuple[str, ...]:
    """Ticked names; one more than allowed is kept, so that the service refuses it."""
    return tuple(dict.fromkeys(value for value in form.getlist(field) if value))[: MAX_RECEIVERS + 1]


def adjustment(form: MultiDict[str, str]) -> Adjustment:
    """The adjustment of a form."""
    return Adjustment(
        importance=form.get("importance", ""),
        harm=form.get("harm", ""),
        level=form.get("level", ""),
        reason=form.get("reason", ""),
        measures=form.get("measures"),
    )


def table(name: str, form: MultiDict[str, str]) -> dict[str, Any]:
    """The value of a table of the site. Raises Invalid where a number is none; the rest is for the service to judge."""
    if name == "matrix":
        return {importance: {harm: form.get(f"{importance}.{harm}", "") for harm in HARM} for importance in IMPORTANCE}
    if name == "deadlines":
        return {level: {step: _hours(form, f"{level}.{step}") for step in ("receipt", "feedback")} for level in LEVELS}
    if name == "advisories":
        return {"drafts": form.get("drafts", ""), "least": _whole(form, "least"), "verdict": form.get("verdict", "")}
    return {
        "zones": _whole(form, "zones"),
        "indicator_zones": _whole(form, "indicator_zones"),
        "violations": _whole(form, "violations"),
        "window_hours": _hours(form, "window_hours"),
        "min_level": form.get("min_level", ALERT_LEVELS[-1]),
    }


def _hours(form: MultiDict[str, str], name: str) -> float | int:
    text = form.get(name, "").strip().replace(",", ".")[:20]
    try:
        number = float(text)
    except ValueError:
        raise Invalid(_("%(text)s is no number", text=text or "—"), field=name) from None
    return int(number) if number.is_integer() else number


def _whole(form: MultiDict[str, str], name: str) -> int:
    text = form.get(name, "").strip()
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(_("%(text)s is no number", text=text[:20] or "—"), field=name)
    return int(text)
