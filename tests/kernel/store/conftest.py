"""The real Elasticsearch that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.store.elasticsearch_server import running_server, server_url


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """URL of a node without security."""
    if server_url():
        yield server_url()
        return
    with running_server() as port:
        yield f"http://127.0.0.1:{port}"
