"""Mistakes of a configuration, each with file, line and key; they are collected, so that a person mends them all at once."""

from __future__ import annotations

from collections.abc import Mapping


class Mistakes:
    """What is wrong with one configuration.

    file   what the messages name: path of the file, or "environment" without one
    lines  dotted key → line in the file
    """

    def __init__(self, file: str, lines: Mapping[str, int]) -> None:
        self.found: list[str] = []
        self._file = file
        self._lines = lines

    def add(self, key: str, message: str) -> None:
        """``key`` is dotted, array tables with their index; told with the line of the nearest table if it stands nowhere itself."""
        probe = key
        while probe and probe not in self._lines:
            probe = probe.rpartition(".")[0]
        place = f"{self._file}:{self._lines[probe]}: {key}" if probe else f"{self._file}: {key}"
        self.found.append(f"{place}: {message}")

    def add_variable(self, name: str, message: str) -> None:
        """A mistake in the environment variable ``name``."""
        self.found.append(f"environment: {name}: {message}")

    def stands_in_file(self, key: str) -> bool:
        return key in self._lines
