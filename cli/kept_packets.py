"""Kept packets for playbooks: cut out in a process of their own, one conversation after another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from collectors.packet_helper import slice_apart
from collectors.packet_slice import SECOND, CapturePlace, Span
from collectors.packet_slice import Conversation as Sought
from playbooks.actions.evidence_packets import Conversation

_MICRO = 1_000_000


class KeptPackets:
    """``playbooks.actions.evidence_packets.PacketSource``."""

    def __init__(self, places: Sequence[CapturePlace]) -> None:
        self._places = list(places)
        self._turn = threading.Lock()

    def __call__(self, conversation: Conversation) -> tuple[bytes, str]:
        """Raises HelperFailed, ParseError."""
        span = Span(_nanoseconds(conversation.start), _nanoseconds(conversation.end))
        with self._turn:
            found = slice_apart(self._places, Sought(conversation.source, conversation.target), span)
        return (found.pcap if found.packets else b""), found.cut


def _nanoseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * _MICRO) * (SECOND // _MICRO)
