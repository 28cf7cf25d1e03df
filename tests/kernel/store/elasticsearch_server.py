"""A real Elasticsearch for tests: started once, on a free port, ended by its own process id.

``LIANDUN_TEST_ELASTICSEARCH=http://127.0.0.1:9200`` takes a running one instead (for example a full distribution).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernel.config import StoreElasticsearch
from kernel.store.elasticsearch import ElasticsearchStore
from kernel.store.elasticsearch.store import PATIENCE_SECONDS
from tests.conftest import SHARED

START = SHARED / "services" / "elasticsearch" / "start.sh"


def free_port() -> int:
    """A port whose neighbour 100 above (the transport port) is free too."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + 100 > 65535:
                continue
            try:
                second.bind(("127.0.0.1", port + 100))
            except OSError:
                continue
            return port
    raise RuntimeError("no two free ports")


@contextmanager
def running_server(*options: str, heap: str = "512m") -> Iterator[int]:
    """Start one and yield its port; skips where Java, Maven or the start script are missing."""
    for program in ("java", "javac", "mvn", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} to start Elasticsearch")
    if not START.is_file():
        pytest.skip("needs ../shared/services/elasticsearch/start.sh")
    folder = Path(tempfile.mkdtemp(prefix="liandun-elasticsearch-"))
    folder.chmod(0o755)
    port = free_port()
    data = folder / "node"
    try:
        started = subprocess.run(
            [str(START), "--data", str(data), "--port", str(port), "--heap", heap, *options],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert started.returncode == 0, f"Elasticsearch does not start: {started.stderr[-2000:]}"
        yield port
    finally:
        if (data / "pid").exists():
            subprocess.run([str(START.with_name("stop.sh")), "--data", str(data)], check=False, timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


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


def server_url() -> str:
    return os.environ.get("LIANDUN_TEST_ELASTICSEARCH", "")
