"""The event store that the configuration names: ``[store] engine``."""

from __future__ import annotations

import contextlib
from functools import cache, partial
from pathlib import Path

import msgspec

from kernel.config import Config, StoreElasticsearch, load_config
from kernel.errors import ConfigError
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.contract import EventStore
from kernel.store.lake import Lake

PATIENCE_SECONDS = 60.0
"""A question that takes longer is given up, so that nobody can hold the console's threads with a costly one."""


def open_store(config: Config, *, writable: bool, patience: float = PATIENCE_SECONDS) -> EventStore:
    """Open it; ``writable`` by the one process that commits. Raises StoreError.

    patience  seconds after which a question is given up with QueryError
    """
    layout = Layout(config.data_dir)
    if config.store.engine == "elasticsearch":
        from kernel.store.elasticsearch.store import ElasticsearchStore  # its client is slow to import, and seldom needed

        return ElasticsearchStore(
            _with_present_secrets(config),
            writable=writable,
            master_key=cache(partial(open_master_key, config)),  # one for life: it still has what was rotated meanwhile
            demo=config.platform.demo,
            patience=patience,
        )
    return Lake.open(layout.lake, writable=writable, demo=config.platform.demo, patience=patience)


def _with_present_secrets(config: Config) -> StoreElasticsearch:
    """The settings with the sealed texts that the file has now: a rotation of the master key may have sealed them again since the
    configuration was read.
    """
    settings = config.store.elasticsearch
    if not config.file or not (settings.password.sealed or settings.api_key.sealed):
        return settings
    with contextlib.suppress(ConfigError):  # being edited: what was read at the start holds
        present = load_config(Path(config.file)).store.elasticsearch
        return msgspec.structs.replace(settings, password=present.password, api_key=present.api_key)
    return settings
