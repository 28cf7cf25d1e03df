"""The filters of the queue, all of them in the URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from operations.alerts.models import ENTITY_KINDS
from operations.alerts.schema import AlertFilter
from soc_ui.times import Window

CHOICES = ("status", "level", "engine", "rule", "host", "tag", "assignee", "verdict")
OPEN = ("new", "acknowledged", "in_progress")
MAX_VALUES = 20
MAX_TEXT = 200


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
    return AlertFilter(**chosen, entity=entities, text=args.get("q", "")[:MAX_TEXT], start=window.start, end=window.end)


class Links:
    """URLs of a list that differ from this one by a filter (one of ``names``). A new filter starts at the first page."""

    def __init__(self, path: str, args: MultiDict[str, str], names: Iterable[str] = (*CHOICES, "entity", "q")) -> None:
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
