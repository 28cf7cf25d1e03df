"""Early warnings: the door of the room. ``drafting`` writes, ``deciding`` decides, ``receipts`` answers, ``listing`` and
``reading`` show; ``overdue`` and ``patterns`` are for the scheduler, ``settings`` holds the tables of the site."""

from __future__ import annotations

from operations.warnings.deciding import adjust, approve, lift, publish, receivers_of, send_back
from operations.warnings.drafting import create, discard, draft_of, edit, submit
from operations.warnings.listing import board, counts, waiting
from operations.warnings.reading import detail, get
from operations.warnings.receipts import answer, receive

__all__ = [
    "adjust",
    "answer",
    "approve",
    "board",
    "counts",
    "create",
    "detail",
    "discard",
    "draft_of",
    "edit",
    "get",
    "lift",
    "publish",
    "receive",
    "receivers_of",
    "send_back",
    "submit",
    "waiting",
]
