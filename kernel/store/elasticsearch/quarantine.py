"""Records that could not be understood, as a small index of its own."""

from __future__ import annotations

import base64
from typing import Any

from kernel.store.contract import Quarantined
from kernel.store.elasticsearch.document import document_id
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.server import Server

_ORDER = [{"time": {"order": "desc"}}, {"id": {"order": "desc"}}]
_PAGE = 1_000


def newest(server: Server, names: Names, sequence: int, limit: int, before: str) -> list[Quarantined]:
    """Newest first; ``before`` is the id of the last one seen, or "" to begin."""
    after: list[Any] | None = None
    if before:
        last = _page(server, names, {"terms": {"_id": [document_id(before)]}}, 1, None)
        if not last:
            return []
        after = last[0]["sort"]
    found: list[Quarantined] = []
    visible = {"range": {"sequence": {"lte": sequence}}}
    while len(found) < limit:
        size = min(_PAGE, limit - len(found))
        hits = _page(server, names, visible, size, after)
        found += [_record(hit["_source"]) for hit in hits]
        if len(hits) < size:
            break
        after = hits[-1]["sort"]
    return found


def number(server: Server, names: Names, sequence: int) -> int:
    """How many there are."""
    body = {"query": {"range": {"sequence": {"lte": sequence}}}, "size": 0, "track_total_hits": True}
    return int(server.search(body, names.quarantine)["hits"].get("total", {"value": 0})["value"])


def _page(server: Server, names: Names, which: dict[str, Any], size: int, after: list[Any] | None) -> list[dict[str, Any]]:
    body: dict[str, Any] = {"query": {"bool": {"filter": [which]}}, "size": size, "sort": _ORDER, "track_total_hits": False}
    if after is not None:
        body["search_after"] = after
    hits: list[dict[str, Any]] = server.search(body, names.quarantine)["hits"]["hits"]
    return hits


def _record(source: dict[str, Any]) -> Quarantined:
    return Quarantined(
        source["id"], source["time"], source["source"], source["origin"], source["reason"], base64.b64decode(source["raw"])
    )
