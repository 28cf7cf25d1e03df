"""Records of evidence as other rooms see them."""

from __future__ import annotations

import msgspec


class EvidenceRecord(msgspec.Struct, frozen=True):
    """A file that somebody brought, without its content."""

    id: int
    system_id: int
    name: str
    note: str
    sm3: str
    size: int
    added_by: str
    at: str


class CustodyLink(msgspec.Struct, frozen=True):
    """A line of the custody record: who did what with it, when, why, where from."""

    number: int
    action: str
    actor: str
    at: str
    reason: str
    source: str


class Viewed(msgspec.Struct, frozen=True):
    """What a verdict names as its evidence.

    place    where it lies: kept (sealed for the system), document, incident, elsewhere (not in the platform), "" = nothing is named
    problem  why the seal does not hold, "" = it does; no statement where ``place`` is elsewhere
    number   of the document, of the incident; ``edition`` of the document, ``piece`` of the incident's evidence
    """

    place: str
    reference: str
    name: str = ""
    sm3: str = ""
    size: int = 0
    at: str = ""
    by: str = ""
    problem: str = ""
    links: tuple[CustodyLink, ...] = ()
    number: int = 0
    edition: int = 0
    piece: int = 0

    @property
    def sealed(self) -> bool:
        """Whether it lies here, so that it can be checked and opened."""
        return self.place in ("kept", "document", "incident")
