"""What a database administrator's run of one of our scripts printed (mysql_export.sql, dm_export.sql), as a target.

Each line of ours begins with ``liandun|``, whatever else the program prints around it. A part counts as read where the script came
to its end and as many rows came as the server says there are; so a cut-off file, a refused query or a page limit is never "nothing
found".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats.encoded_text import decoded
from compliance.probes.formats.keyed import number
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

Engine = Literal["mysql", "dm"]
SCRIPTS: dict[Engine, Path] = {engine: Path(__file__).with_name(f"{engine}_export.sql") for engine in ("mysql", "dm")}
COLUMNS: dict[Engine, dict[str, tuple[str, ...]]] = {
    "mysql": {
        "server": ("version", "comment"),
        "variables": ("name", "value"),
        "accounts": ("host", "user", "plugin", "hash", "super", "grant", "file", "ssl"),
        "ages": ("host", "user", "lifetime", "locked", "attempts"),
        "plugins": ("name",),
        "databases": ("name",),
    },
    "dm": {
        "server": ("version", "comment"),
        "variables": ("name", "value"),
        "accounts": ("user", "status", "attempts", "lock", "lifetime", "reuse", "idle", "sources"),
        "administrators": ("user", "role"),
        "public": ("name", "right"),
        "audits": ("rules",),
    },
}
"""Names of the columns of each part, in the order in which the script prints them."""
MOST_OCTETS, MOST_ROWS = 64 << 20, 200_000


class DatabaseExport(msgspec.Struct, frozen=True):
    """``path``: the file that was printed."""

    name: str
    path: Path
    engine: Engine

    @property
    def sources(self) -> tuple[Source, ...]:
        return (self.engine,)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError."""
        try:
            with self.path.open("rb") as opened:
                octets = opened.read(MOST_OCTETS + 1)
        except OSError as error:
            raise LiandunError(f"{self.path.name}: {error.strerror}") from error
        if len(octets) > MOST_OCTETS:
            raise LiandunError(f"{self.path.name} is larger than {MOST_OCTETS >> 20} MiB (limit)")
        return printed(decoded(octets), self.engine, self.path.name)


def printed(text: str, engine: Engine, name: str) -> dict[str, Part]:
    """Parts of one run, or of several one after the other, of which a later one counts where it was read. Raises LiandunError."""
    lines = [fields for line in text.splitlines() if (fields := _ours(line))]
    if not any(line[:2] == ["begin", engine] for line in lines):
        raise LiandunError(
            f"{name} is no export by {SCRIPTS[engine].name}", "./liandun compliance database-script prints the script"
        )
    if sum(line[:2] == ["begin", engine] for line in lines) != sum(line[:2] == ["end", engine] for line in lines):
        raise LiandunError(f"{name} does not come to its end", "run the script again, and look at what it complains of")
    found: dict[str, Part] = {}
    run: list[list[str]] = []
    for line in lines:
        if line[0] == "begin":
            run = []
        elif line[0] == "end":
            found.update({part: said for part, said in _parts(run, engine).items() if part not in found or not said.problem})
        else:
            run.append(line)
    return found


def _ours(line: str) -> list[str]:
    """The fields of a line of ours without the mark, [] for another; programs put blanks and signs of columns around it."""
    _, mark, rest = line.partition("liandun|")
    return rest.rstrip().split("|") if mark and "'" not in line.partition("liandun|")[0] else []


def _parts(run: list[list[str]], engine: Engine) -> dict[str, Part]:
    found = {}
    for part, columns in COLUMNS[engine].items():
        rows = [line[2:] for line in run if line[:2] == ["row", part]]
        counted = [number(line[2]) for line in run if line[:2] == ["count", part] and len(line) > 2]
        how = f"{SCRIPTS[engine].name}, part {part}"
        if counted != [len(rows)]:
            found[part] = Part("", "the server did not say all of it (the login may lack a right)", how)
        elif len(rows) > MOST_ROWS or any(len(row) != len(columns) for row in rows):
            found[part] = Part("", "it is not in the form of the script", how)
        else:
            whole = [dict(zip(columns, row, strict=True)) for row in rows]
            found[part] = Part(msgspec.json.encode(whole).decode(), how=how)
    return found
