"""The contract on a real Elasticsearch, and what is special there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kernel.store.elasticsearch.store import ElasticsearchStore
from tests.kernel.store.contract_suite import EventStoreContract
from tests.kernel.store.elasticsearch_server import a_store


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


@pytest.fixture
def reopen(store: ElasticsearchStore) -> Iterator[Callable[[], ElasticsearchStore]]:
    opened: list[ElasticsearchStore] = []

    def again() -> ElasticsearchStore:
        store.close()
        opened.append(ElasticsearchStore(store.settings, writable=True))
        return opened[-1]

    yield again
    for other in opened:
        other.close()


class TestContract(EventStoreContract):
    pass
