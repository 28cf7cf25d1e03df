"""The backing indices of the data stream: one after the other is written, each is dropped as a whole.

The server refuses an id twice within one backing index only. So ids of a batch are looked up in the generations before, and where
somebody else rolled the stream over in the midst of a batch, what came twice is taken out again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from kernel.store.elasticsearch.fields import SEQUENCE
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.server import Server

REDELIVERY_SECONDS = 7 * 86_400
"""A record may be delivered again within this time (kernel.pipeline remembers streams as long)."""

_MOST_LOOKED_AT = 10
_LIST_SECONDS = 60.0
_IDS = 10_000

_Item = TypeVar("_Item")


class Generation(msgspec.Struct, frozen=True):
    """A backing index; ``created`` in seconds since the epoch."""

    index: str
    created: float


class Generations:
    """Knows the backing indices, oldest first; asks anew once a minute, or when told to."""

    def __init__(self, server: Server, names: Names) -> None:
        self._server = server
        self._names = names
        self._list: list[Generation] = []
        self._asked = 0.0
        self._refreshed: set[str] = set()

    def all(self, *, fresh: bool = False) -> list[Generation]:
        """All of them; none before the first write."""
        if fresh or not self._list or time.monotonic() - self._asked > _LIST_SECONDS:
            answer = self._server.ask(
                lambda client: client.indices.get_settings(
                    index=self._names.events, name="index.creation_date", ignore_unavailable=True, allow_no_indices=True
                )
            )
            found = dict(answer.body)
            self._list = sorted(
                (Generation(index, int(facts["settings"]["index"]["creation_date"]) / 1000) for index, facts in found.items()),
                key=lambda generation: (generation.created, generation.index),
            )
            self._asked = time.monotonic()
        return self._list

    def knows(self, index: str) -> bool:
        return any(generation.index == index for generation in self._list)

    def written(self) -> str:
        """The index that is written now, "" before the first write."""
        every = self.all()
        return every[-1].index if every else ""

    def recent_before(self, index: str = "") -> list[str]:
        """Earlier generations (than ``index``, else than the written one) that a re-delivered event may stand in."""
        every = self.all()
        last = next((at for at, generation in enumerate(every) if generation.index == index), len(every) - 1)
        horizon = time.time() - REDELIVERY_SECONDS
        earlier = [every[at].index for at in range(last) if at == last - 1 or every[at + 1].created > horizon]
        return earlier[-_MOST_LOOKED_AT:]

    def sequences(self, identifiers: Sequence[str], indices: Sequence[str]) -> dict[str, int]:
        """Those of some ids that stand in these indices, with the number of the commit that brought them."""
        if not indices or not identifiers:
            return {}
        if unseen := [index for index in indices if index not in self._refreshed]:
            self._server.ask(lambda client: client.indices.refresh(index=list(unseen), ignore_unavailable=True))
            self._refreshed.update(unseen)  # they are not written any more
        found: dict[str, int] = {}
        for part in chunks(identifiers, _IDS):
            body: dict[str, Any] = {
                "query": {"terms": {"_id": list(part)}},
                "_source": [SEQUENCE],
                "size": _IDS,
                "track_total_hits": False,
            }
            for hit in self._server.search(body, ",".join(indices))["hits"]["hits"]:
                found[hit["_id"]] = int(hit["_source"].get(SEQUENCE, 0))
        return found


def chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
