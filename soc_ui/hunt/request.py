"""What the URL of the hunt page asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from kernel.event import Event
from kernel.query import Query, parse_query
from kernel.query.compose import condition_of
from soc_ui.times import Window, window

DEFAULT_COLUMNS = ("event.dataset", "host.name", "user.name", "source.ip", "summary")
SUMMARY = "summary"
SUMMARY_FIELDS = ("message", "process.command_line", "dns.question.name", "url.original", "rule.name", "file.path", "event.action")
POPULAR_FIELDS = (
    "event.dataset", "event.action", "event.code", "host.name", "user.name", "source.ip", "destination.ip", "destination.port",
    "network.protocol", "process.name", "process.command_line", "process.parent.name", "file.path", "registry.path",
    "dns.question.name", "url.domain", "http.request.method", "http.response.status_code", "tls.client.server_name",
    "winlog.channel", "winlog.event_id", "rule.name", "observer.name",
)  # fmt: skip
MAX_COLUMNS = 10
MAX_CELL = 600  # characters; the table shows one line, the event itself has all


@dataclass(frozen=True)
class HuntRequest:
    """A query text with its time range and columns. ``args`` are the URL parameters that give it again (page apart)."""

    text: str
    window: Window
    columns: tuple[str, ...]

    def parse(self) -> Query:
        """The query. Raises QueryError."""
        return parse_query(self.text)

    @property
    def condition(self) -> str:
        """The query without its pipes. Raises QueryError."""
        return condition_of(self.text)

    def args(self, **changes: str) -> dict[str, str]:
        """URL parameters, some of them set anew."""
        columns = {} if self.columns == DEFAULT_COLUMNS else {"cols": ",".join(self.columns)}
        return {"q": self.text, **self.window.args(), **columns, **changes}

    def url_with_column(self, column: str) -> str:
        """This page with a column added, or taken away where it is shown."""
        rest = tuple(name for name in self.columns if name != column)
        columns = rest if len(rest) < len(self.columns) else (*self.columns, column)[:MAX_COLUMNS]
        return "?" + urlencode({"q": self.text, **self.window.args(), "cols": ",".join(columns or DEFAULT_COLUMNS)})

    @property
    def fields(self) -> list[str]:
        """Fields that the table needs from the store."""
        wanted = ["@timestamp", "event.id", *(name for name in self.columns if name != SUMMARY)]
        if SUMMARY in self.columns:
            wanted += SUMMARY_FIELDS
        return list(dict.fromkeys(wanted))


def read(args: MultiDict[str, str]) -> HuntRequest:
    """The request of a URL; raises TimeRangeError for a time that is none."""
    columns = tuple(dict.fromkeys(name.strip() for name in args.get("cols", "").split(",") if name.strip()))[:MAX_COLUMNS]
    extra = args.get("addcol", "").strip()
    if extra and extra not in columns:
        columns = (*(columns or DEFAULT_COLUMNS), extra)[:MAX_COLUMNS]
    return HuntRequest(args.get("q", "").strip(), window(args), columns or DEFAULT_COLUMNS)


def summary(event: Event) -> str:
    """The most telling text of an event, one line."""
    for field in SUMMARY_FIELDS:
        value = event.get(field)
        if value:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            return text.replace("\n", " ")[:300]
    return ""


def cell(event: Event, column: str) -> str:
    """What stands in the table."""
    if column == SUMMARY:
        return summary(event)
    value = event.get(column)
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(member)[:MAX_CELL] for member in value[:MAX_CELL])[:MAX_CELL]
    return str(value).lower() if isinstance(value, bool) else str(value)[:MAX_CELL]


def columns_of(request: HuntRequest, named: Sequence[str] | None) -> HuntRequest:
    """The request with the columns that the query itself names (``| fields a, b``)."""
    return HuntRequest(request.text, request.window, tuple(named)[:MAX_COLUMNS]) if named else request
