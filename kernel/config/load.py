"""Reading, typing and checking a configuration."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from kernel.config.file import read
from kernel.config.fill import fill_from_environment, fill_section, suggest
from kernel.config.mistakes import Mistakes
from kernel.config.model import Config, check
from kernel.config.platform import ROOT
from kernel.errors import ConfigError


def load_config(
    file: Path | None = None, environ: Mapping[str, str] | None = None, *, formats: Collection[str] | None = None
) -> Config:
    """Read, type and check the configuration. Raises ConfigError with every mistake, one a line.

    formats  names that ``[[ingest.tail]] format`` may have (the kernel knows no parsers); None = not checked
    """
    environ = os.environ if environ is None else environ
    data_dir = environ.get("LIANDUN_DATA") or environ.get("LIANDUN_PLATFORM_DATA_DIR")
    if file is None:
        if environ.get("LIANDUN_CONFIG"):
            file = Path(environ["LIANDUN_CONFIG"])
        else:
            candidate = Path(data_dir or ROOT / "var") / "liandun.toml"
            file = candidate if candidate.is_file() else None
    tree, lines = read(file) if file is not None else ({}, {})
    mistakes = Mistakes(str(file or "environment"), lines)
    config = Config(file=str(file or ""))
    for section, values in tree.items():
        fill_section(config, section, values, mistakes)
    fill_from_environment(config, environ, mistakes)
    check(config, mistakes)
    for index, tail in enumerate(config.ingest.tail):
        if formats is not None and tail.format not in formats:
            mistakes.add(f"ingest.tail.{index}.format", f"{tail.format!r} is no format{suggest(tail.format, sorted(formats))}")
    if mistakes.found:
        raise ConfigError("\n".join(mistakes.found), "nothing was started; mend the lines above")
    return config
