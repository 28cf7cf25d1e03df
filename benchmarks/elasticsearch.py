"""Speed of the event store on Elasticsearch, with the events and queries of benchmarks.store.

    python -m benchmarks.elasticsearch --url http://127.0.0.1:9200 [--events 200000] [--batch 10000]

Give it a server of its own and a quiet machine. The namespace ``bench…`` it makes is left on the server.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from benchmarks.store import QUERIES, make
from kernel.config import StoreElasticsearch
from kernel.query import parse_query
from kernel.store.answer import answer
from kernel.store.contract import Commit, TimeRange
from kernel.store.elasticsearch.store import ElasticsearchStore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=10_000)
    options = parser.parse_args()
    settings = StoreElasticsearch(urls=[options.url], namespace=f"bench{int(time.time())}", replicas=0, timeout_seconds=120)
    store = ElasticsearchStore(settings, writable=True)
    chance = random.Random(7)
    started, client, slowest = time.perf_counter(), time.process_time(), 0.0
    making = 0.0
    for start in range(0, options.events, options.batch):
        before = time.perf_counter()
        batch = [make(number, chance) for number in range(start, min(start + options.batch, options.events))]
        making += time.perf_counter() - before
        store.commit(Commit(batch, consumer="bench", position=start + len(batch), counters={"stored": len(batch)}))
        slowest = max(slowest, time.perf_counter() - before)
    took = time.perf_counter() - started - making
    client = time.process_time() - client - making
    print(f"ingest: {options.events / took:,.0f} events/s, slowest batch {slowest:.1f} s, CPU of this process {client:.0f} s")
    store.server.client.options(request_timeout=1800).indices.forcemerge(index=store.names.events, max_num_segments=1)
    store.server.client.indices.refresh(index=store.names.events)
    facts = store.statistics()
    print(f"disk: {facts['bytes'] / facts['events']:.0f} bytes an event (merged)")
    for name, text in QUERIES:
        times = []
        for _ in range(4):
            before = time.perf_counter()
            result = answer(store, parse_query(text), TimeRange())
            times.append((time.perf_counter() - before) * 1000)
        shown = len(result.page.events) if result.page else result.total or len(result.buckets)
        print(f"{name:32} first {times[0]:7.0f} ms, then {statistics.median(times[1:]):7.0f} ms   {shown}")
    store.close()


if __name__ == "__main__":
    main()
