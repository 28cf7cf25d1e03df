"""Records of reviews and hand-outs as other rooms see them."""

from __future__ import annotations

import msgspec


class About(msgspec.Struct, frozen=True):
    """What something is about. ``item`` "" = the system, ``object_id`` 0 = the system as a whole."""

    system_id: int
    item: str = ""
    object_id: int = 0


class ReviewEntry(msgspec.Struct, frozen=True):
    """What somebody wrote. ``request_id`` 0 = a comment; ``object`` "" = the system as a whole."""

    id: int
    system_id: int
    item: str
    object_id: int
    object: str
    request_id: int
    kind: str
    text: str
    evidence: str
    by: str
    at: str


class EvidenceRequest(msgspec.Struct, frozen=True):
    """Evidence that was asked for. ``overdue``: its day has passed without an answer."""

    id: int
    system_id: int
    system: str
    item: str
    object_id: int
    object: str
    state: str
    text: str
    due_on: str
    overdue: bool
    asked_by: str
    asked_at: str
    updated_at: str
    version: int


class RequestDetail(msgspec.Struct, frozen=True):
    """With what was written about it, oldest first."""

    request: EvidenceRequest
    entries: list[ReviewEntry]


class RequestFilter(msgspec.Struct, frozen=True):
    """``system_id`` 0 = every one that is seen; ``item`` "" = any."""

    state: str = ""
    system_id: int = 0
    item: str = ""


class RequestPage(msgspec.Struct, frozen=True):
    """One page, newest first; ``cursor`` "" at the end."""

    requests: list[EvidenceRequest]
    cursor: str = ""


class HandoutDraft(msgspec.Struct, frozen=True):
    """A link that is wanted. ``what``: a kind of report, or ``assessment``; ``password`` "" = none."""

    what: str
    recipient: str
    expires_at: str
    form: str = ""
    language: str = "zh"
    template: str = "2025"
    password: str = ""


class HandoutRecord(msgspec.Struct, frozen=True):
    """A link without its token. ``state``: open, expired, revoked."""

    id: int
    system_id: int
    what: str
    language: str
    recipient: str
    state: str
    has_password: bool
    expires_at: str
    made_by: str
    made_at: str
    revoked_by: str
    revoked_at: str
    file_name: str
    media: str
    sm3: str
    size: int
    opened: int
    last_at: str
    last_from: str
    version: int


class Called(msgspec.Struct, frozen=True):
    """What came of a call of a link. ``outcome``: open, password (asked for), wrong, locked, gone, busy.

    handout  None unless ``open``: who has not the password learns nothing
    content  of the file, where it was opened
    """

    outcome: str
    handout: HandoutRecord | None = None
    content: bytes = b""
