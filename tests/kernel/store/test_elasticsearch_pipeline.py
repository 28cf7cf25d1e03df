"""The whole road into Elasticsearch: spool, parsers, quarantine, detection state, and kill -9 of the process in between."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.parsers import PARSERS
from kernel.config import load_config
from kernel.pipeline import CONSUMER, Pipeline
from kernel.query import parse_query
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolReader, SpoolWriter
from kernel.store.contract import EventStore
from kernel.store.elasticsearch.store import ElasticsearchStore
from kernel.store.lake import Lake
from kernel.store.open import open_store
from tests.kernel.store.contract_suite import ALWAYS
from tests.kernel.store.elasticsearch_server import a_store
from tests.kernel.store.test_crash import start

RECEIVED = 1_795_000_000_000_000

ROAD = """
import sys, threading
from pathlib import Path
from collectors.parsers import PARSERS
from kernel.config import load_config
from kernel.pipeline import Pipeline
from kernel.spool import SpoolReader
from kernel.store.open import open_store
store = open_store(load_config(), writable=True)
reader = SpoolReader(Path(sys.argv[1]))
pipeline = Pipeline(reader, store, parsers=PARSERS, detectors=[], publish=lambda found: None, max_records=40)
print("ready", flush=True)
while True:
    if pipeline.step() == 0:
        print("done", flush=True)
        break
    print(pipeline.position, flush=True)
"""


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


def fill(spool: Path) -> None:
    """Syslog with accents and addresses, JSON with numbers and nested objects, and records that no parser can read."""
    writer = SpoolWriter(spool)
    for n in range(400):
        header = f"<34>Nov 23 04:00:{n % 60:02d} srv{n % 5} sshd[{n}]:"
        syslog = f"{header} Failed password for Größe{n} from 10.0.{n % 7}.{n % 250} port 22 ssh2"
        raw, form = [
            (syslog.encode(), "syslog"),
            (b'{"user":{"name":"Li"},"n":%d,"source":{"ip":"2001:db8::%x"},"tags":["a","b"]}' % (n, n), "json"),
            (b"{broken %d" % n, "json"),
        ][n % 3]
        record = RawRecord("src", form, RECEIVED + n, "here", raw, "file:1", n)
        writer.put([encode_record(record)])
    writer.close()


def facts(store: EventStore) -> dict[str, object]:
    page = store.search(parse_query("*"), ALWAYS, limit=10_000, fields=["*"])
    return {
        "events": page.events,
        "quarantine": store.quarantine(limit=1_000),
        "counters": store.counters(),
        "top": store.top(parse_query("*"), ALWAYS, "host.name"),
        "position": store.consumer(CONSUMER)[0],
        "datasets": store.statistics()["by_dataset"],
    }


@pytest.mark.slow
def test_the_pipeline_killed_again_and_again_gives_what_the_lake_gets(
    store: ElasticsearchStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "spool")
    lake = Lake.open(tmp_path / "lake", writable=True)
    steady = Pipeline(
        SpoolReader(tmp_path / "spool"), lake, parsers=PARSERS, detectors=[], publish=lambda found: None, max_records=40
    )
    steady._reader.release = lambda position: None  # type: ignore[method-assign] # the second road reads the same spool
    while steady.step():
        pass
    monkeypatch.setenv("LIANDUN_DATA", str(tmp_path))
    monkeypatch.setenv("LIANDUN_STORE_ENGINE", "elasticsearch")
    monkeypatch.setenv("LIANDUN_STORE_ELASTICSEARCH_URLS", ",".join(store.settings.urls))
    monkeypatch.setenv("LIANDUN_STORE_ELASTICSEARCH_NAMESPACE", store.settings.namespace)
    chance = random.Random(5)
    for _ in range(4):
        road = start(ROAD, str(tmp_path / "spool"))
        assert road.stdout is not None
        road.stdout.readline()
        time.sleep(chance.random() * 0.6)
        road.send_signal(signal.SIGKILL)
        road.wait()
        road.stdout.close()
    road = start(ROAD, str(tmp_path / "spool"))
    assert road.stdout is not None
    assert road.stdout.read().splitlines()[-1] == "done", sys.stderr
    road.wait()
    road.stdout.close()
    opened = open_store(load_config(), writable=False)
    assert isinstance(opened, ElasticsearchStore)
    assert facts(opened) == facts(lake)
    assert opened.counters()["stored.src"] + opened.counters()["quarantined.src"] == 400
    opened.close()
    lake.close()
