"""Merging selected alerts: choose the lead, then do it; the message after it offers to take it back."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.detection import level_rank
from kernel.errors import LiandunError
from operations.alerts import service
from operations.alerts.schema import AlertRow
from operations.errors import Conflict, Invalid
from soc_ui import access, refusals, times
from soc_ui.alerts import filters, view_pages
from soc_ui.alerts.told import told
from soc_ui.numbers import row_id
from soc_ui.preferences import local_path
from soc_ui.services import services

alert_merge = Blueprint("alert_merge", __name__)


@alert_merge.post("/alerts/merge/draft")
@access.needs("alerts.write")
def draft() -> Response | str:
    """The selected alerts (or the newest that match), with the versions that the decision is made on."""
    back = local_path(request.form.get("next", "/alerts"))
    ids = request.form.getlist("ids", type=row_id)[: service.MOST_MERGED]
    with services().database.read() as session:
        if ids and request.form.get("everything"):
            args = view_pages.asked(session, MultiDict(parse_qsl(urlsplit(back).query)))
            where = filters.read(args, times.window(args, default=times.EVERYTHING))
            ids = service.matching_ids(session, where, service.MOST_MERGED)
        rows = service.get_alerts(session, ids)
    if len(rows) < 2:
        return redirect(told(back, "two"))
    return _page(rows, back)


@alert_merge.post("/alerts/merge")
@access.needs("alerts.write")
def merge() -> Response | tuple[str, int]:
    """Merge ``items`` ("id:version") into ``lead`` (the same)."""
    form = request.form
    back = local_path(form.get("next", "/alerts"))
    versions = dict(_pair(text) for text in form.getlist("items")[: service.MOST_MERGED])
    lead, version = _pair(form.get("lead", ""))
    try:
        with services().database.write() as session:
            done = service.merge_alerts(
                session, access.me().actor, lead, dict(versions), expected_version=version, note=form.get("note", "")
            )
    except (Invalid, Conflict) as error:
        with services().database.read() as session:
            rows = service.get_alerts(session, list(versions))
        return _page(rows, back, error), refusals.status(error)
    if done.overtaken:
        return redirect(told(back, "merged_some", len(done.merged), done.batch if done.merged else ""))
    return redirect(told(back, "merged", len(done.merged), done.batch))


def _page(rows: list[AlertRow], back: str, error: LiandunError | None = None) -> str:
    rows = sorted(rows, key=lambda row: (row.status == "closed", -level_rank(row.level), row.first_seen))
    wrong = refusals.explain(error) if error else []
    return render_template("alerts/merge.html", rows=rows, back=back, wrong=wrong, note=request.form.get("note", ""))


def _pair(text: str) -> tuple[int, int]:
    """Id and version. Raises Invalid."""
    number, _colon, version = text.partition(":")
    try:
        return row_id(number), row_id(version)
    except ValueError as error:
        raise Invalid("the form has no such alert", field="items") from error
