"""The event store on Elasticsearch 8.x (see :mod:`.store`)."""

from __future__ import annotations

from kernel.store.elasticsearch.store import ElasticsearchStore

__all__ = ["ElasticsearchStore"]
