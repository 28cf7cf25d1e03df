"""What ``--help`` says, of every command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.__main__ import main


def paths(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from paths(command, (*path, name))
        elif command is not None and not command.hidden:
            yield (*path, name)


@pytest.mark.parametrize("path", list(paths(main)), ids=" ".join)
def test_help_is_text_for_people(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert "``" not in result.output
    assert ":param" not in result.output
