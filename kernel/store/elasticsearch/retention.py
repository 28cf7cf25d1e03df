"""How long events are kept on Elasticsearch: kernel.store.retention_rule, carried out on backing indices.

A run first writes down the border, so that what lies before it is out of sight at once; then it deletes: a whole backing index
where everything in it is old, else event by event, at most ``MOST_DELETED`` a run. Elastic's own lifecycle never deletes here: it
knows neither the law nor a clock that jumps.
"""

from __future__ import annotations

import logging

from kernel.store.contract import TimeRange
from kernel.store.elasticsearch import state
from kernel.store.elasticsearch.bounds import both, without
from kernel.store.elasticsearch.generations import Generations
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.reader import Reader, moment
from kernel.store.elasticsearch.server import Server
from kernel.store.elasticsearch.state import Retained
from kernel.store.elasticsearch.writer import delete_matching
from kernel.store.retention_rule import a_day_later, first_day_to_keep

log = logging.getLogger(__name__)

MOST_DELETED = 500_000


def retain(server: Server, names: Names, reader: Reader, generations: Generations, days: int, now: str, *, demo: bool) -> int:
    """Drop the days that ended more than ``days`` days before ``now``; returns the number of events dropped. Raises StoreError."""
    cutoff = first_day_to_keep(days, now, demo=demo)
    reader.forget()
    snapshot = reader.snapshot()
    cutoff = a_day_later(snapshot.retained.cutoff, cutoff)
    border = f"{cutoff}T00:00:00.000000Z"
    retained = Retained(cutoff, moment(border), snapshot.state.sequence)
    dropped = reader.number(both([reader.in_sight(snapshot, TimeRange(end=border)), state.dropped(retained)]))
    state.save_retained(server, names, retained)
    reader.forget()
    _delete(server, names, reader, generations, retained)
    delete_matching(server, names.quarantine, {"range": {"time": {"lt": border}}}, most=MOST_DELETED)
    return dropped


def _delete(server: Server, names: Names, reader: Reader, generations: Generations, retained: Retained) -> None:
    every = generations.all(fresh=True)
    for generation in every[:-1]:  # the last one is being written
        if _all_old(server, generation.index, retained):
            log.info("retention: dropping %s, all its events are from before %s", generation.index, retained.cutoff)
            _drop(server, generation.index)
    generations.all(fresh=True)
    delete_matching(server, names.events, state.dropped(retained), most=MOST_DELETED)


def _drop(server: Server, index: str) -> None:
    server.ask(lambda client: client.indices.delete(index=index))


def _all_old(server: Server, index: str, retained: Retained) -> bool:
    young = without(state.dropped(retained))
    server.ask(lambda client: client.indices.refresh(index=index))
    answer = server.search({"query": young, "size": 0, "track_total_hits": 1}, index)
    return not answer["hits"]["total"]["value"] and not answer["_shards"]["failed"]
