"""Which items a rule of another tool speaks to (mapping.yaml): by its id, else by words of its title."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml

from compliance.importers.contract import Tool, ToolResult

FILE = Path(__file__).with_name("mapping.yaml")


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``rules``: ids as patterns of fnmatch. ``words``: sets of words, all of one of which a title has. ``silence``: see lynis."""

    items: tuple[str, ...]
    rules: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    silence: bool = True


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of it. ``to_be_confirmed``: our own work, which nobody has confirmed."""

    to_be_confirmed: bool
    note: str
    openscap: tuple[Mapped, ...]
    lynis: tuple[Mapped, ...]
    nessus: tuple[Mapped, ...]
    titles: tuple[Mapped, ...]


@lru_cache(maxsize=1)
def mapping() -> Mapping:
    """As it ships."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), Mapping)


def items_of(tool: Tool, result: ToolResult) -> tuple[str, ...]:
    """The clauses that a result speaks to; none where nothing is known of its rule."""
    whole = mapping()
    by_id = {"arf": whole.openscap, "lynis": whole.lynis, "nessus": whole.nessus, "wazuh": ()}[tool]
    found = [one for one in by_id if any(fnmatchcase(result.rule, rule) for rule in one.rules)]
    if tool == "lynis" and result.said == "pass":
        found = [one for one in found if one.silence]
    if not found and tool in ("nessus", "wazuh"):
        title = result.title.lower()
        found = [one for one in whole.titles if any(all(word in title for word in words) for words in one.words)]
    return tuple(sorted({item for one in found for item in one.items}))
