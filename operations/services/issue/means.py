"""What issuing needs from outside, put together by whoever runs the console."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from crypto.secret import MasterKey


class ListenPoint(msgspec.Struct, frozen=True):
    """Where the platform takes logs: ``transport`` tcp, udp or link (protected)."""

    transport: str
    host: str
    port: int
    id: str = ""


class Means(msgspec.Struct, frozen=True):
    """``master_key`` None: no certificates; ``authority`` "": the only issuing authority whose key is here."""

    master_key: MasterKey | None = None
    listen: Sequence[ListenPoint] = ()
    authority: str = ""
