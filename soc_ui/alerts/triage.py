"""Forms of the queue and the alert page, turned into a change of operations.alerts."""

from __future__ import annotations

import msgspec
from werkzeug.datastructures import MultiDict

from operations.alerts.schema import Change

UNCHANGED = "="


def bulk_change(action: str, form: MultiDict[str, str], my_name: str) -> Change | None:
    """The change behind a button of the action bar, None for an unknown one.

    action  ``acknowledge``, ``start``, ``reopen``, ``mine``, ``assign`` (to the form's ``assignee``) or ``close:<verdict>``
    """
    verb, _, verdict = action.partition(":")
    if verb == "acknowledge":
        return Change(status="acknowledged")
    if verb == "start":
        return Change(status="in_progress")
    if verb == "reopen":
        return Change(status="new")
    if verb == "close":
        return Change(status="closed", verdict=verdict)
    if verb == "mine":
        return Change(assignee=my_name)
    if verb == "assign":
        return Change(assignee=form.get("assignee") or None)
    return None


def form_change(form: MultiDict[str, str]) -> Change:
    """The change of the form on the alert page; a field that is not sent stays as it is."""
    status = form.get("status") or msgspec.UNSET
    verdict: str | msgspec.UnsetType = msgspec.UNSET
    if status == "closed":
        verdict = form.get("verdict") or msgspec.UNSET
    assignee: str | msgspec.UnsetType | None = msgspec.UNSET
    if "assignee" in form and form["assignee"] != UNCHANGED:
        assignee = form["assignee"] or None
    return Change(status=status, verdict=verdict, assignee=assignee)
