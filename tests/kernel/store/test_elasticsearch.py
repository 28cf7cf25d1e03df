"""The contract on a real Elasticsearch, and what is special there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel.store.elasticsearch import ElasticsearchStore
from tests.kernel.store.contract_suite import EventStoreContract
from tests.kernel.store.elasticsearch_server import a_store


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


class TestContract(EventStoreContract):
    pass
