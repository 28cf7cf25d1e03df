"""Moments as people see them: local zone in the cell, UTC on hover. The store speaks ``@timestamp`` text (kernel/event.py)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from flask import Flask
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from kernel.errors import LiandunError
from kernel.event import SHANGHAI, parse_timestamp, timestamp
from kernel.store.contract import TimeRange
from soc_ui import preferences
from soc_ui.locale import _

PRESETS: dict[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "180d": timedelta(days=180),
}
EVERYTHING = "all"


class TimeRangeError(LiandunError):
    """A time in the URL or form is not a moment."""


@dataclass(frozen=True)
class Window:
    """A chosen time range: ``last`` (a preset, ``all`` or "" when absolute) and the bounds as ``@timestamp`` texts, "" = open."""

    last: str
    start: str
    end: str

    @property
    def range(self) -> TimeRange:
        """The same for the store."""
        return TimeRange(self.start, self.end)

    def args(self) -> dict[str, str]:
        """URL parameters that give this window again."""
        return {"last": self.last} if self.last else {k: v for k, v in (("from", self.start), ("to", self.end)) if v}


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def zone() -> timezone:
    """Zone in which times are shown."""
    return UTC if preferences.current().zone == "UTC" else SHANGHAI


def window(args: MultiDict[str, str], default: str = "24h") -> Window:
    """The range of ``last=`` or ``from=``/``to=`` (ISO 8601; without a zone it is the zone of the page). Raises TimeRangeError."""
    if args.get("from") or args.get("to"):
        start, end = typed(args.get("from", "")), typed(args.get("to", ""))
        if start and end and start >= end:
            raise TimeRangeError(_("The start of the time range must lie before its end."))
        return Window("", start, end)
    last = args.get("last") or default
    if last == EVERYTHING:
        return Window(EVERYTHING, "", "")
    if last not in PRESETS:
        raise TimeRangeError(_("Unknown time range: %(name)s", name=last))
    return Window(last, timestamp(now() - PRESETS[last]), "")


def typed(text: str) -> str:
    """@timestamp text of what a person typed, in the zone of the page where it names none; "" for "". Raises TimeRangeError."""
    if not text:
        return ""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise TimeRangeError(_("Not a time: %(text)s", text=text[:40]), _("for example 2026-11-23 08:30")) from None
    try:
        return timestamp(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone()))
    except OverflowError:
        raise TimeRangeError(_("Not a time: %(text)s", text=text[:40])) from None


def as_datetime(text: str) -> datetime | None:
    """The moment of an ``@timestamp`` text, or None."""
    normal = parse_timestamp(text) if text else None
    return datetime.fromisoformat(normal.replace("Z", "+00:00")) if normal else None


def show(value: str | datetime | None, style: str = "short") -> Markup:
    """``<time>`` with local text and UTC in the tooltip. Styles: short (no year if it is this one), full, clock."""
    moment = as_datetime(value) if isinstance(value, str) else value
    if moment is None:
        return Markup("—")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    utc = moment.astimezone(UTC)
    local = _local(moment)
    if style == "clock":
        text = f"{local:%H:%M:%S}"
    elif style == "full":
        text = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"
    elif local.year == now().astimezone(zone()).year:
        text = f"{local:%m-%d %H:%M:%S}"
    else:
        text = f"{local:%Y-%m-%d %H:%M}"
    hover = f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(timestamp(utc), hover, text)


def field_value(text: str) -> str:
    """Value of an ``<input type=datetime-local>`` in the zone of the page."""
    moment = as_datetime(text)
    return f"{_local(moment):%Y-%m-%dT%H:%M:%S}" if moment else ""


def _local(moment: datetime) -> datetime:
    """``moment`` in the zone of the page; in its own where no such local time exists (a record may claim 9999-12-31T23:59Z)."""
    try:
        return moment.astimezone(zone())
    except OverflowError:
        return moment


def ago(value: str | datetime | None) -> str:
    """How long ago, in the largest whole unit."""
    moment = as_datetime(value) if isinstance(value, str) else value
    if moment is None:
        return _("never")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (now() - moment).total_seconds()
    return _("%(span)s ago", span=span(seconds)) if seconds >= 1 else _("just now")


def span(seconds: float) -> str:
    """A duration in its largest whole unit, e.g. ``5 min``."""
    if seconds < 1:
        return _("just now")
    if seconds < 60:
        return _("%(n)d s", n=int(seconds))
    if seconds < 3600:
        return _("%(n)d min", n=int(seconds // 60))
    if seconds < 86400:
        return _("%(n)d h", n=int(seconds // 3600))
    return _("%(n)d d", n=int(seconds // 86400))


def preset_name(preset: str) -> str:
    """``24h`` in words."""
    number = int(preset[:-1])
    return {"m": _("%(n)d min", n=number), "h": _("%(n)d h", n=number), "d": _("%(n)d d", n=number)}[preset[-1]]


def install(app: Flask) -> None:
    """Template filters ``when``, ``ago``, ``span``, ``field_value``, and ``preset_name()``."""
    app.jinja_env.globals["preset_name"] = preset_name
    app.jinja_env.filters.update(when=show, ago=ago, span=span, field_value=field_value)
