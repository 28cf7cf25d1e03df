"""Records of the service catalogue as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec


class TermsRecord(msgspec.Struct, frozen=True):
    """The periods of a service in force. ``version`` 0 = nobody changed them."""

    service: str
    accept_hours: int
    issue_hours: int
    open: bool
    source: str
    to_be_confirmed: bool
    version: int


class ApplicationRow(msgspec.Struct, frozen=True):
    """An application in a list. ``overdue``: not accepted, or not issued, by when it should be."""

    id: int
    service: str
    bureau: str
    applicant: str
    subject: str
    state: str
    applied_at: str
    accept_due: str
    issue_due: str | None
    accepted_at: str | None
    issued_at: str | None
    expires_at: str | None
    grant_kind: str
    grant_id: str
    updated_at: str
    renews: int | None
    overdue: bool
    version: int


class Step(msgspec.Struct, frozen=True):
    """One line of the history."""

    time: str
    actor: str
    act: str
    note: str


class ApplicationDetail(msgspec.Struct, frozen=True):
    """An application with its form, what was granted, and the acts that the reader may do now.

    dangers  why a second person has to confirm it, empty = none needed
    """

    application: ApplicationRow
    form: dict[str, Any]
    granted: dict[str, Any]
    reason: str
    accepted_by: str
    issued_by: str
    confirmed_by: str
    zones: list[str]
    history: list[Step]
    dangers: list[str]
    acts: list[str]


class ApplicationPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next ("" at the end)."""

    applications: list[ApplicationRow]
    cursor: str = ""


class ApplicationFilter(msgspec.Struct, frozen=True):
    """``open``: applied, accepted or to be confirmed; ``mine``: applied for by this name."""

    state: str = ""
    service: str = ""
    bureau: str = ""
    mine: str = ""
    open: bool = False
    overdue: bool = False


class Grant(msgspec.Struct, frozen=True):
    """What issuing made: ``told`` goes to the applicant, ``expires_at`` None = no end."""

    kind: str
    id: str
    told: dict[str, Any]
    expires_at: str | None = None
