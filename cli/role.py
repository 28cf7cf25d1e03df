"""``liandun role NAME``: run one role in the foreground (the supervisor does; on several hosts a service manager does)."""

from __future__ import annotations

import importlib
import sys

import click

from cli.roles.process import end_with_parent, log_to_stderr
from kernel.config import load_config
from kernel.layout import Layout

ROLES = ("ingest", "links", "worker", "console", "scheduler", "playbooks")


@click.command()
@click.argument("name", type=click.Choice(ROLES))
@click.option("--stay", is_flag=True, help="Go on when the parent process ends (for service managers).")
def command(name: str, stay: bool) -> None:
    """Run one role until SIGTERM. Configuration: LIANDUN_CONFIG, LIANDUN_DATA and the other LIANDUN_… variables."""
    if not stay and name != "ingest":  # ingest outlives a killed supervisor, see kernel.handover
        end_with_parent()
    log_to_stderr(name)
    config = load_config()
    Layout(config.data_dir).create()
    sys.exit(importlib.import_module(f"cli.roles.{name}").run(config))
