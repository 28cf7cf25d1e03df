"""The filters of the queue, all of them in the URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from kernel.detection import LEVELS
from operations.alerts.models import ENTITY_KINDS, STATUSES, VERDICTS
from operations.alerts.models import OPEN as OPEN  # pages of zones and the wall ask here
from operations.alerts.saved_views import ME
from operations.alerts.schema import AlertFilter, narrowed
from operations.errors import Invalid
from soc_ui import times
from soc_ui.numbers import row_id
from soc_ui.times import Window

CHOICES = ("status", "level", "engine", "rule", "host", "tag", "assignee", "verdict")
MAX_VALUES = 20
MAX_TEXT = 200
MAX_VALUE = 255
_KNOWN = {"status": STATUSES, "level": LEVELS, "verdict": VERDICTS}
_NUMBERS = ("suppression", "lead")
_ONCE = ("q", "last", "from", "to", "order")
VIEWABLE = (*CHOICES, "entity", *_NUMBERS, *_ONCE)
"""What a saved view may keep."""


@dataclass(frozen=True)
class Chip:
    """A filter in force: ``dimension``, ``value`` and the URL without it."""

    dimension: str
    value: str
    without: str


def read(args: MultiDict[str, str], window: Window) -> AlertFilter:
    """The filter that the URL asks for; unknown entity kinds are left out."""
    chosen = {name: tuple(dict.fromkeys(value for value in args.getlist(name) if value))[:MAX_VALUES] for name in CHOICES}
    pairs = (value.partition(":") for value in args.getlist("entity")[:MAX_VALUES])
    entities = tuple((kind, value) for kind, _, value in pairs if kind in ENTITY_KINDS and value)
    numbers = {name: tuple(args.getlist(name, type=row_id))[:MAX_VALUES] for name in _NUMBERS}
    chosen["status"] = narrowed(chosen["status"], args.get("suppressed", ""))
    return AlertFilter(**chosen, **numbers, entity=entities, text=args.get("q", "")[:MAX_TEXT], start=window.start, end=window.end)


def expanded(args: MultiDict[str, str], view: Iterable[tuple[str, str]], my_name: str) -> MultiDict[str, str]:
    """The parameters with those of a view in their place; what stands in the URL itself goes before. ``*me`` becomes the name."""
    pairs = [pair for pair in view if pair[0] not in args]
    pairs += [(name, value) for name, values in args.lists() if name not in ("view", "suppressed") for value in values]
    if suppressed := args.get("suppressed", ""):
        status = narrowed(tuple(value for name, value in pairs if name == "status"), suppressed)
        pairs = [pair for pair in pairs if pair[0] != "status"] + [("status", value) for value in status]
    return MultiDict([(name, my_name if (name, value) == ("assignee", ME) else value) for name, value in pairs])


def same(args: MultiDict[str, str], view: Iterable[tuple[str, str]], my_name: str) -> bool:
    """True where the parameters ask for what the view asks for."""
    there = set(expanded(MultiDict(), view, my_name).items(multi=True))
    return there == {(name, value) for name, value in args.items(multi=True) if name in VIEWABLE and value}


def kept(args: MultiDict[str, str], my_name: str = "") -> list[tuple[str, str]]:
    """The parameters as a view keeps them, one's own name as ``*me``. Raises Invalid for what is no filter of the queue."""
    pairs = [(name, value) for name, value in args.items(multi=True) if value]
    for name, value in pairs:
        if name not in VIEWABLE:
            raise Invalid(f"{name[:40]!r} is no filter of the queue", f"one of {', '.join(VIEWABLE)}", field="query")
        if len(value) > MAX_VALUE or not value.isprintable():
            raise Invalid(f"{name}: at most {MAX_VALUE} characters, no control characters", field="query")
        if not _sound(name, value):
            raise Invalid(f"{name}: {value[:40]!r} is no such value", field="query")
        if len(args.getlist(name)) > (1 if name in _ONCE else MAX_VALUES):
            raise Invalid(f"{name}: too many values", field="query")
    try:
        times.window(args, default=times.EVERYTHING)
    except times.TimeRangeError as error:
        raise Invalid(error.message, error.hint, field="query") from error
    mine = ("assignee", my_name)
    return list(dict.fromkeys(("assignee", ME) if my_name and pair == mine else pair for pair in pairs))


def _sound(name: str, value: str) -> bool:
    if name in _KNOWN:
        return value in _KNOWN[name]
    if name in _NUMBERS:
        return value.isdecimal() and len(value) < 19
    if name == "entity":
        kind, _, rest = value.partition(":")
        return kind in ENTITY_KINDS and bool(rest)
    if name == "order":
        return value in ("oldest", "newest")
    return name != "q" or len(value) <= MAX_TEXT


class Links:
    """URLs of a list that differ from this one by a filter (one of ``names``). A new filter starts at the first page."""

    def __init__(self, path: str, args: MultiDict[str, str], names: Iterable[str] = (*CHOICES, "entity", *_NUMBERS, "q")) -> None:
        self._path = path
        self._names = frozenset(names)
        kept = ("cursor", "done", "n", "batch")
        self._pairs = [(name, value) for name, values in args.lists() if name not in kept for value in values if value]

    def with_(self, **changes: str | None) -> str:
        """This URL with parameters set (None removes them)."""
        pairs = [pair for pair in self._pairs if pair[0] not in changes]
        return self._url([*pairs, *((name, value) for name, value in changes.items() if value is not None)])

    def toggle(self, dimension: str, value: str) -> str:
        """This URL with one value of a filter added, or removed where it is in force."""
        pair = (dimension, value)
        rest = [other for other in self._pairs if other != pair]
        return self._url(rest if len(rest) < len(self._pairs) else [*rest, pair])

    def has(self, dimension: str, value: str) -> bool:
        """True where this value is in force."""
        return (dimension, value) in self._pairs

    def chips(self) -> list[Chip]:
        """All filters in force."""
        return [Chip(name, value, self.toggle(name, value)) for name, value in self._pairs if name in self._names]

    def pairs(self, *, without: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Parameters to carry along in a form."""
        left_out = set(without)
        return [pair for pair in self._pairs if pair[0] not in left_out]

    def _url(self, pairs: list[tuple[str, str]]) -> str:
        # An address without any parameter stands for the default view, so "no filter at all" must be said.
        return f"{self._path}?{urlencode(pairs or [('view', 'all')])}"
