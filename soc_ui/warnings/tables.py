"""``/warnings/settings``: matrix of levels, deadlines, numbers of patterns, and what of them is to be confirmed."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.detection import LEVELS as ALERT_LEVELS
from operations.errors import Conflict, Invalid
from operations.warnings import settings
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS
from soc_ui import access
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.warnings import forms, words

warning_tables = Blueprint("warning_tables", __name__)


@warning_tables.get("/warnings/settings")
def page() -> str:
    """All tables; forms for those who may change them (their makers see no warning, readers change nothing)."""
    if not (access.me().may("warnings.read") or access.me().may("warnings.settings")):
        abort(403)
    return _page()


@warning_tables.post("/warnings/settings/<any(matrix, deadlines, patterns, advisories):name>")
@access.needs("warnings.settings")
def change_table(name: str) -> Response | tuple[str, int]:
    """Save one table; refused where somebody else was quicker."""
    form = request.form
    try:
        value = forms.table(name, form)
        with services().database.write() as session:
            settings.change(
                session, access.me(), name, value, form.get("source", ""), form.get("to_be_confirmed") == "1",
                expected_version=form.get("version", -1, row_id),
            )  # fmt: skip
    except (Conflict, Invalid) as error:
        code = 409 if isinstance(error, Conflict) else 422
        return _page(wrong={name: words.explain(error)}, typed=name if code == 422 else ""), code
    return redirect(url_for("warning_tables.page", done="warning_table", _anchor=name))


@warning_tables.get("/warnings/settings/<any(matrix, deadlines, patterns, advisories):name>")
def table_again(name: str) -> Response:
    """The address of an answer that is a page, asked for again."""
    return redirect(url_for("warning_tables.page", _anchor=name))


def _page(*, wrong: dict[str, str] | None = None, typed: str = "") -> str:
    """``typed`` is the table whose form shows what was sent, not what is stored."""
    with services().database.read() as session:
        found = settings.every(session)
    return render_template(
        "warnings/settings.html", tables=found, levels=LEVELS, importances=IMPORTANCE, harms=HARM, alert_levels=ALERT_LEVELS,
        steps=("receipt", "feedback"), wrong=wrong or {}, typed=typed, form=request.form,
    )  # fmt: skip
