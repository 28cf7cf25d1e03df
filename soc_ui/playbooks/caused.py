"""Runs that an alert, incident or warning set going, or that people started from its page."""

from __future__ import annotations

from sqlalchemy.orm import Session

from playbooks.rights import READ
from playbooks.run import listing
from playbooks.run.listing import RunFilter, RunPage
from soc_ui import access

MOST_SHOWN = 10


def caused(session: Session, kind: str, number: int) -> RunPage:
    """The newest MOST_SHOWN of them, by one query; none for who may not see runs."""
    if not access.me().may(READ):
        return RunPage([])
    return listing.list_runs(session, RunFilter(subject=f"{kind}:{number}"), limit=MOST_SHOWN)
