"""Records of inbound webhooks as other rooms see them."""

from __future__ import annotations

import msgspec

REFUSALS: tuple[str, ...] = ("signature", "time", "disabled", "rate", "size", "type", "body")
"""Why a message is refused; the sender is told the first three as one."""

OUTCOMES: tuple[str, ...] = ("accepted", "repeated", *REFUSALS)


class Count(msgspec.Struct, frozen=True):
    """How often something happened; ``last_at`` "" = never."""

    outcome: str
    number: int
    last_at: str


class SourceRecord(msgspec.Struct, frozen=True):
    """A source as shown. ``previous_until``: until then the secret before the present one is good, too; "" = it is not."""

    id: int
    public_id: str
    name: str
    organisation: str
    zone: str
    max_level: str
    enabled: bool
    rate: int
    previous_until: str
    created_at: str
    created_by: str
    version: int
    counts: list[Count] = []

    @property
    def refused(self) -> int:
        """Messages that were not taken."""
        return sum(count.number for count in self.counts if count.outcome in REFUSALS)

    @property
    def accepted(self) -> Count:
        """Messages that became alerts, or were counted up in one."""
        return next((count for count in self.counts if count.outcome == "accepted"), Count("accepted", 0, ""))


class Headers(msgspec.Struct, frozen=True):
    """The three headers of Standard Webhooks, as they came."""

    message_id: str
    timestamp: str
    signatures: str


class Answer(msgspec.Struct, frozen=True):
    """What became of a message.

    outcome      one of OUTCOMES; ``unknown``: there is no such source
    field        the field of the body that does not fit, e.g. ``data.level``
    detail       what is wrong with it
    retry_after  seconds until the next message is taken (``rate``)
    counted      it stands in the counters already
    """

    outcome: str
    field: str = ""
    detail: str = ""
    retry_after: int = 0
    counted: bool = False
