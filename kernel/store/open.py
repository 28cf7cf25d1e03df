"""The event store that the configuration names: ``[store] engine``."""

from __future__ import annotations

from functools import partial

from kernel.config import Config
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.contract import EventStore
from kernel.store.elasticsearch import ElasticsearchStore
from kernel.store.lake import Lake

PATIENCE_SECONDS = 60.0
"""A question that takes longer is given up, so that nobody can hold the console's threads with a costly one."""


def open_store(config: Config, *, writable: bool, patience: float = PATIENCE_SECONDS) -> EventStore:
    """Open it; ``writable`` by the one process that commits. Raises StoreError.

    patience  seconds after which a question is given up with QueryError
    """
    layout = Layout(config.data_dir)
    if config.store.engine == "elasticsearch":
        return ElasticsearchStore(
            config.store.elasticsearch,
            writable=writable,
            master_key=partial(open_master_key, config),
            demo=config.platform.demo,
            patience=patience,
        )
    return Lake.open(layout.lake, writable=writable, demo=config.platform.demo, patience=patience)
