"""What is different between two documents, as people ask it: which step, which variable, which field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playbooks.json_text import read_json
from playbooks.shelf.schema import Change

MOST = 2_000
_ABSENT = object()


def difference(old: bytes, new: bytes) -> list[Change]:
    """Changes from ``old`` to ``new``, in the order of the documents; the order of keys is none. At most MOST.

    A step or variable that came or went is one change; within those that stayed each field is. Raises PlaybookError.
    """
    before, after = read_json(old), read_json(new)
    found = []
    for change in _between("", before, after):
        found.append(_placed(change, before, after))
        if len(found) >= MOST:
            break
    return found


def _between(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _of_one(f"{path}.{key}" if path else key, old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif _has_parts(old) and _has_parts(new):
        for place in range(max(len(old), len(new))):
            yield from _of_one(f"{path}[{place}]", _at(old, place), _at(new, place))
    elif not _alike(old, new):
        yield Change("changed", path, old=old, new=new)


def _of_one(path: str, old: Any, new: Any) -> Iterator[Change]:
    if old is _ABSENT:
        yield Change("added", path, new=new)
    elif new is _ABSENT:
        yield Change("removed", path, old=old)
    else:
        yield from _between(path, old, new)


def _has_parts(value: Any) -> bool:
    """A list of objects, such as commands: compared place by place. Other lists are values."""
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else _ABSENT


def _alike(old: Any, new: Any) -> bool:
    """True and 1 are equal in Python, and are not in JSON."""
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_alike, old, new))
    return bool(old == new)


def _placed(change: Change, before: Any, after: Any) -> Change:
    """The change with the step that it lies in."""
    head, _, rest = change.path.partition(".")
    step = rest.partition(".")[0].partition("[")[0]
    if head != "workflow" or not step:
        return change
    name = next((_name(document, step) for document in (after, before) if _name(document, step)), "")
    return Change(change.kind, change.path, step, name, change.old, change.new)


def _name(document: Any, step: str) -> str:
    steps = document.get("workflow") if isinstance(document, dict) else None
    found = steps.get(step) if isinstance(steps, dict) else None
    name = found.get("name") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
