"""The option ``--data`` of commands: which configuration is in force with it."""

from __future__ import annotations

import os
from pathlib import Path

from kernel.config import Config, load_config


def config_of(data: Path | None) -> Config:
    """The configuration in force; with ``--data`` the one of that data directory."""
    return load_config(environ={**os.environ, "LIANDUN_DATA": str(data)}) if data else load_config()
