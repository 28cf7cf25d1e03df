"""Text of logs and of other people's rules on a terminal: it must not steer it."""

from __future__ import annotations

import sys

import click
from rich.console import Console

PIPED_WIDTH = 240
"""Columns of a table that goes into a pipe or a file: nobody reads it there at 80."""


def visible(text: str) -> str:
    """One line; control characters, and those that turn the direction of writing, stand as U+FFFD."""
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else "\ufffd" for c in text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line of :func:`visible` text."""
    click.echo(visible(text), err=err)


def console() -> Console:
    """A console for tables on standard output."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
