"""Paths of files on a host, as playbooks name them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from playbooks.actions.contract import ActionError

_OF_THE_KERNEL = frozenset({"dev", "proc", "sys"})
"""Reading a file there may do something, or never end; what is worth knowing of them is in the volatile data."""


def whole_paths(texts: Iterable[str]) -> list[str]:
    """The paths, each once, without empty ones. Raises ActionError for one that is none, or leads to where reading may do
    something."""
    found = [path for path in dict.fromkeys(texts) if path]
    for path in found:
        parts = path.split("/")[1:]
        if not path.isprintable() or not all(parts) or {".", ".."} & set(parts) or str(PurePosixPath(path)) != path:
            hint = "from / on, without . and .., without letters that cannot be printed"
            raise ActionError(f"{path[:80]!r} is no whole path of a file", hint, code="COMMAND_WRONG")
        if parts[0] in _OF_THE_KERNEL:
            raise ActionError(f"{path[:80]!r} is no file of a disk", "leave it to volatile", code="COMMAND_WRONG")
    return found
