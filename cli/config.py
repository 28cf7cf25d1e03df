"""``liandun config``: explain the configuration."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from collectors.parsers import PARSERS
from kernel.config import load_config


@click.group()
def command() -> None:
    """Check and show the configuration."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Check FILE (default: the one that would be used); every mistake is told with file, line and key."""
    config = load_config(file, formats=PARSERS)
    click.echo(f"{config.file or 'no file, defaults and environment only'}: no mistakes")


@command.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def show(file: Path | None) -> None:
    """Print the settings in force as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(load_config(file), enc_hook=str)).decode())
