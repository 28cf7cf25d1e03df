"""The help of every command is text for people: no marks of the source's docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main

_MARKS = re.compile(r"``|:(?:class|meth|func|data|mod):`|\.\. \w+::|`_")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_help_is_plain(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {' '.join(path)}".rstrip())
    assert _MARKS.search(result.output) is None
    told = result.output.split("\n\n")[1]
    assert told.strip(), "says what it does"
    assert not told.startswith("Options:")
