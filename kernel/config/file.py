"""Reading the TOML file, and on which line each key stands (tomllib does not tell)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from kernel.errors import ConfigError

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\-\"']+)\s*=")


def read(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The tables of the file, and dotted key → line. Raises ConfigError."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 (byte {error.start})") from error
    try:
        return tomllib.loads(text), _key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}", "see https://toml.io for the syntax") from error


def _key_lines(text: str) -> dict[str, int]:
    """Dotted key (array tables with their index, ``ingest.tail.0.id``) → line number, for messages."""
    lines: dict[str, int] = {}
    arrays: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = header[2].replace('"', "")
            if header[1] == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                table = f"{table}.{arrays[table]}"
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines
