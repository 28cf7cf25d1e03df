"""The event store on Elasticsearch 8.x (see :mod:`.store`)."""

from __future__ import annotations

from kernel.store.elasticsearch.install import template_bodies
from kernel.store.elasticsearch.server import SECRET_CONTEXT
from kernel.store.elasticsearch.store import ElasticsearchStore

__all__ = ["SECRET_CONTEXT", "ElasticsearchStore", "template_bodies"]
