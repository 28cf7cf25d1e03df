"""Stores of their own on the Elasticsearch of the tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kernel.config import StoreElasticsearch
from kernel.store.elasticsearch.store import PATIENCE_SECONDS, ElasticsearchStore


@contextmanager
def a_store(
    urls: Sequence[str], *, demo: bool = False, patience: float = PATIENCE_SECONDS, **settings: object
) -> Iterator[ElasticsearchStore]:
    """A writable store of a namespace of its own; what it put on the server is removed afterwards."""
    chosen = StoreElasticsearch(urls=list(urls), namespace=f"t{uuid.uuid4().hex[:12]}", replicas=0)
    for name, value in settings.items():
        setattr(chosen, name, value)
    store = ElasticsearchStore(chosen, writable=True, demo=demo, patience=patience)
    try:
        yield store
    finally:
        remove(store)
        store.close()


def remove(store: ElasticsearchStore) -> None:
    """Backing indices can be deleted but for the written one, which goes with the next namespace's server."""
    client = store.server.client
    generations = store._generations.all(fresh=True)
    for generation in generations[:-1]:
        client.indices.delete(index=generation.index, ignore_unavailable=True)
    for index in (store.names.quarantine, store.names.state):
        client.indices.delete(index=index, ignore_unavailable=True)
