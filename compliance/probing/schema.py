"""Records of daily probes as other rooms see them."""

from __future__ import annotations

import msgspec

from compliance.probing.models import FILES, REPORTS


class TargetDraft(msgspec.Struct, frozen=True):
    """What is said about a target, see models.TargetRow. ``object_id`` 0: the system as a whole."""

    system_id: int
    object_id: int
    way: str
    place: str = ""
    login: str = ""
    secret: str = ""
    host: str = ""
    ca: str = ""


class TargetFilter(msgspec.Struct, frozen=True):
    """``system_id`` 0: every system; ``failed``: those whose last look failed."""

    system_id: int = 0
    failed: bool = False


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
    host: str = ""
    ca: str = ""
    version: int = 1

    @property
    def is_file(self) -> bool:
        """One of FILES or REPORTS of models."""
        return self.way in FILES or self.way in REPORTS

    @property
    def shown(self) -> str:
        """For people: the way, and where it leads."""
        return " ".join(one for one in (self.way, self.place or self.secret, self.host) if one)


class BroughtFile(msgspec.Struct, frozen=True):
    """What was brought to a target; ``size`` in octets."""

    name: str
    at: str
    brought_by: str
    sm3: str
    size: int


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
