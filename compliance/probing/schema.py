"""Records of daily probes as other rooms see them."""

from __future__ import annotations

import msgspec


class TargetDraft(msgspec.Struct, frozen=True):
    """What is said about a target, see models.TargetRow. ``object_id`` 0: the system as a whole."""

    system_id: int
    object_id: int
    way: str
    place: str = ""
    login: str = ""
    secret: str = ""


class TargetRecord(msgspec.Struct, frozen=True):
    """A target as shown."""

    id: int
    system_id: int
    object_id: int
    way: str
    place: str
    login: str
    secret: str
    enabled: bool
    next_at: str
    run_at: str
    read_at: str
    error: str
    evidence: str
    created_by: str
    created_at: str

    @property
    def shown(self) -> str:
        """For people: the way, and where it leads."""
        return " ".join(one for one in (self.way, self.place or self.secret) if one)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a target. ``error``: why nothing, or not all, could be read or recorded, "" where all could.

    recorded, changed, drifts  verdicts; ``unread``: probes that could not judge; ``evidence``: SM3 of what was sealed
    """

    target: TargetRecord
    recorded: int = 0
    changed: int = 0
    drifts: int = 0
    unread: int = 0
    evidence: str = ""
    error: str = ""
