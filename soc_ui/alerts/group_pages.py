"""``/alerts/groups``: the queue of the same filters in groups by rule, host, user or source address; acts on a whole group."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from operations.alerts.grouping import group
from soc_ui import access, times
from soc_ui.alerts import filters, view_pages
from soc_ui.alerts.filters import CHOICES, Links
from soc_ui.locale import _
from soc_ui.services import services

alert_groups = Blueprint("alert_groups", __name__)


@alert_groups.get("/alerts/groups")
@access.needs("alerts.read")
def page() -> str:
    """``by`` is one of BY; without any other parameter the groups of what is open. Raises Invalid, NotFound for an unknown view."""
    by = request.args.get("by", "rule")
    with services().database.read() as session:
        args = view_pages.asked(session)
        args.pop("by", None)
        if not args:
            args.setlist("status", list(filters.OPEN))
        window = times.window(args, default=times.EVERYTHING)
        found = group(session, filters.read(args, window), by)
    queue = Links(url_for("alerts.queue"), args)
    names = {"rule": _("Rule"), "host": _("Host"), "user": _("User"), "ip": _("Source address")}
    return render_template(
        "alerts/groups.html",
        found=found,
        by=by,
        acts=by in CHOICES and access.me().may("alerts.write"),
        names=names,
        queue=queue,
        links=Links(request.path, args),
        members={one.value: _members(queue, by, one.value) for one in found.groups},
    )


def _members(queue: Links, by: str, value: str) -> str:
    """The queue with the alerts of one group; of a user or address also those that name it in another part: no acts on these."""
    if by in CHOICES:
        return queue.with_(**{by: value, "cursor": None})
    pair = f"{by}:{value}"
    return queue.with_() if queue.has("entity", pair) else queue.toggle("entity", pair)
