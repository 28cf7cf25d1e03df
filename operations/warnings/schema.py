"""Records of early warnings as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec

STATUSES: tuple[str, ...] = ("draft", "submitted", "approved", "published", "lifted", "discarded")
OPEN: tuple[str, ...] = ("draft", "submitted", "approved", "published")
PUBLIC: tuple[str, ...] = ("published", "lifted")
"""What the organisations see."""

SOURCES: tuple[str, ...] = ("hand", "alert", "pattern", "advisory")
TEXTS: tuple[str, ...] = ("nature", "threat", "extent", "objects", "effect", "measures")
"""What a warning has to say (GB/T 32924 clause 5): 事件性质, 威胁方式, 影响范围, 涉及对象, 影响程度, 防范对策."""

MAX_TITLE = 200
MAX_TEXT = 10_000
MAX_NOTE = 4_000
MAX_RECEIVERS = 64


class Draft(msgspec.Struct, frozen=True):
    """What a person writes. ``level`` "" = as the matrix says."""

    title: str = ""
    importance: str = "general"
    harm: str = "general"
    level: str = ""
    nature: str = ""
    threat: str = ""
    extent: str = ""
    objects: str = ""
    effect: str = ""
    measures: str = ""
    organisations: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class Adjustment(msgspec.Struct, frozen=True):
    """A new edition of a published warning: both factors, the level ("" = by the matrix), and why. ``measures`` None = kept."""

    importance: str
    harm: str
    reason: str
    level: str = ""
    measures: str | None = None


class WarningRecord(msgspec.Struct, frozen=True):
    """A warning as shown; see models.WarningRow. ``contributors`` wrote in it: none of them approves it."""

    id: int
    status: str
    level: str
    importance: str
    harm: str
    title: str
    nature: str
    threat: str
    extent: str
    objects: str
    effect: str
    measures: str
    organisations: list[str]
    zones: list[str]
    edition: int
    year: int | None
    number: int | None
    label: str
    author: str
    contributors: list[str]
    source: str
    source_alert: int | None
    reasons: list[dict[str, Any]]
    created_at: str
    updated_at: str
    approved_by: str
    approved_at: str | None
    published_at: str | None
    closed_at: str | None
    version: int


class Progress(msgspec.Struct, frozen=True):
    """How far the last edition has come: organisations, receipts, feedbacks, and how many organisations are late."""

    organisations: int = 0
    received: int = 0
    answered: int = 0
    overdue: int = 0


class BoardRow(msgspec.Struct, frozen=True):
    """One line of the board."""

    warning: WarningRecord
    progress: Progress


class Board(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end); ``hidden`` published ones that the reader may not see."""

    rows: list[BoardRow]
    cursor: str = ""
    hidden: int = 0


class BoardFilter(msgspec.Struct, frozen=True):
    """Values of one field are alternatives, fields narrow each other. ``overdue`` True = somebody is late."""

    status: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    organisation: str = ""
    zone: str = ""
    text: str = ""
    overdue: bool = False
    mine: bool = False


class ReceiptRecord(msgspec.Struct, frozen=True):
    """A cell row of the receipt matrix; ``state`` is one of deadlines.STATES."""

    edition: int
    organisation: str
    sent_at: str
    receipt_due: str
    feedback_due: str
    received_at: str | None
    received_by: str
    comment: str
    feedback_at: str | None
    feedback_by: str
    feedback: str
    state: str
    overdue: list[str]
    reminded: list[str] = []


class HistoryEntry(msgspec.Struct, frozen=True):
    """One act."""

    id: int
    time: str
    actor: str
    act: str
    edition: int
    organisation: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


class WarningDetail(msgspec.Struct, frozen=True):
    """Everything about one warning. ``receipts`` of the last edition first."""

    warning: WarningRecord
    progress: Progress
    receipts: list[ReceiptRecord]
    history: list[HistoryEntry]


class Setting(msgspec.Struct, frozen=True):
    """A table of the site: where it comes from, and whether somebody has confirmed it. ``version`` 0 = as shipped; only then
    ``source_zh`` tells the source in Chinese."""

    name: str
    value: dict[str, Any]
    source: str
    to_be_confirmed: bool
    changed_at: str = ""
    changed_by: str = ""
    version: int = 0
    source_zh: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a person: warnings to sign, to give feedback on, to approve, to publish."""

    sign: int = 0
    answer: int = 0
    approve: int = 0
    publish: int = 0

    @property
    def total(self) -> int:
        return self.sign + self.answer + self.approve + self.publish
