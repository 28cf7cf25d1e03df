"""An event as people read it: fields in groups, pivots into the hunt page, the raw record apart."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, url_for

from kernel.ecs_fields import FIELD_TYPES
from kernel.event import Event
from kernel.query.compose import narrowed

RAW = "event.original"
FIRST_GROUPS = ("@timestamp", "message", "event", "host", "user", "process", "source", "destination", "network", "file", "registry")
MAX_VALUE = 4000
MAX_FIELDS = 500  # shown of one event; a hostile record has tens of thousands, and the page would take minutes
MAX_MEMBERS = 100  # shown of one list
_SPELLABLE = re.compile(r"[\w@$#-][\w@$#./ ()\[\]{}<>=|,*?:\"-]*")
MAX_RAW = 64_000


@dataclass(frozen=True)
class Field:
    """One line of the table: the values as text, how many characters were cut, and whether it is a moment."""

    name: str
    values: tuple[str, ...]
    cut: int = 0

    @property
    def is_time(self) -> bool:
        return FIELD_TYPES.get(self.name) == "date" and len(self.values) == 1


def grouped(event: Event) -> list[tuple[str, list[Field]]]:
    """Fields by their first name part, what matters most first; the raw record is left out.

    Beyond MAX_FIELDS the rest stands as one line that says how much it is.
    """
    order = {group: position for position, group in enumerate(FIRST_GROUPS)}
    first = {name: name.split(".", 1)[0] for name in event if name != RAW}
    names = sorted(first, key=lambda name: (order.get(first[name], len(order)), first[name], name))
    groups: dict[str, list[Field]] = {}
    for name in names[:MAX_FIELDS]:
        groups.setdefault(first[name], []).append(_field(name, event[name]))
    rest = names[MAX_FIELDS:]
    if rest:
        groups["…"] = [Field(f"… (+{len(rest):,})", (), sum(len(text(event[name])) for name in rest))]
    return list(groups.items())


def raw_record(event: Event) -> str:
    """The raw record, pretty where it is JSON, cut at 64,000 characters."""
    raw = str(event.get(RAW, ""))
    if raw[:1] in "{[" and len(raw) <= MAX_RAW:
        try:
            return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
        except ValueError:
            return raw
    return raw[:MAX_RAW] + "…" if len(raw) > MAX_RAW else raw


def text(value: Any) -> str:
    """A value as text; truth values as the query language writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def term(field: str, value: Any) -> str:
    """``field:"value"`` in the query language; a field name that it cannot spell leaves only ``"value"``, found anywhere."""
    phrase = '"' + text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if not _SPELLABLE.fullmatch(field):
        return phrase
    return re.sub(r"[ ()\[\]{}<>=|,*?:\"]", lambda odd: "\\" + odd[0], field) + ":" + phrase


def pivot(field: str, value: Any, *, query: str = "", exclude: bool = False, **args: str) -> str:
    """Link to the hunt page for events with (or without) this value, on top of ``query``. Raises QueryError for a wrong one."""
    target = narrowed(query, ("NOT " if exclude else "") + term(field, value))
    return f"{url_for('hunt.page')}?{urlencode({'q': target, **{name: value for name, value in args.items() if value}})}"


def short_path(path: str) -> str:
    """The last three parts of a path: enough to find the file, and it fits."""
    return "/".join(path.split("/")[-3:])


def install(app: Flask) -> None:
    """Gives templates ``pivot()`` and the filter ``short_path``."""
    app.jinja_env.filters["short_path"] = short_path
    app.jinja_env.globals["pivot"] = pivot


def _field(name: str, value: Any) -> Field:
    values = [text(member) for member in value] if isinstance(value, list) else [text(value)]
    shown = tuple(member[:MAX_VALUE] for member in values[:MAX_MEMBERS])
    return Field(name, shown, sum(map(len, values)) - sum(map(len, shown)))
