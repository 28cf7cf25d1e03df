"""The option ``--data`` of commands: which configuration is in force with it, and the state database of that platform."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.config import Config, load_config
from kernel.db import Database, open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout


def config_of(data: Path | None) -> Config:
    """The configuration in force; with ``--data`` the one of that data directory."""
    return load_config(environ={**os.environ, "LIANDUN_DATA": str(data)}) if data else load_config()


@contextmanager
def state_of(config: Config) -> Iterator[Database]:
    """The state database of a platform that has been started before. Raises LiandunError where there is none."""
    layout = Layout(config.data_dir)
    if not layout.has_state:
        raise LiandunError(f"{layout.root}: there is no platform in this data directory", "choose another with --data")
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()
