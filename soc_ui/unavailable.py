"""What people are told where the state database, or the audit trail in it, cannot be used: what happened, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from kernel.errors import StateUnavailable
from soc_ui.locale import _


class Words(NamedTuple):
    """``title`` what became of the request; ``cause`` why; ``advice`` what to do."""

    title: str
    cause: str
    advice: str


def words(error: StateUnavailable) -> Words:
    """In the language of the request. Some reading is audited too (searches, exports), and refused like a change."""
    causes = {
        "full": _("The disk of the state database is full."),
        "read-only": _("The state database is read-only."),
        "busy": _("Another process has locked the state database for too long."),
        "damaged": _("The file of the state database is damaged."),
        "audit": _("The audit trail does not take any entry."),
    }
    advice = {
        "full": _("Free space in the data directory (./liandun doctor shows how much there is), then send it again."),
        "read-only": _("See whether the file system was mounted read-only after an error, and who owns the data directory."),
        "busy": _("Send it again in a moment. If that does not help, see which process holds the database."),
        "damaged": _("Stop the platform and restore a backup (./liandun backup restore)."),
        "audit": _("Call the audit administrator: ./liandun audit verify tells which part of it is damaged."),
    }
    title = (
        _("Refused, nothing was changed: the audit trail cannot be written")
        if error.writing
        else _("The state database cannot be read")
    )
    cause = causes.get(error.reason, _("The state database does not answer."))
    return Words(title, cause, advice.get(error.reason, _("See that its disk works and has room, or that its server is there.")))
