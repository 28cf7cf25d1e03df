"""Addresses of a table's rows: a hundred events with seven cells each have the same query in all of them, so it is encoded once."""

from __future__ import annotations

from urllib.parse import quote

from flask import url_for

from kernel.event import Event
from soc_ui.hunt.request import HuntRequest


class RowLinks:
    """For the events of one question."""

    def __init__(self, asked: HuntRequest) -> None:
        self._event, _, self._query = url_for("hunt.event", event_id="-", **asked.args()).partition("?")
        self._menu = url_for("hunt.value_menu")
        self._fields = {column: quote(column, safe="") for column in asked.columns}

    def event(self, event: Event) -> str:
        """The whole event."""
        return f"{self._event[:-1]}{quote(event['event.id'], safe='')}?{self._of(event)}"

    def menu(self, event: Event) -> str:
        """What one can do with a value of the event; :meth:`field` goes behind it."""
        return f"{self._menu}?event={quote(event['event.id'], safe='')}&{self._of(event)}"

    def field(self, column: str) -> str:
        """A column, behind the address of a menu."""
        return f"&field={self._fields[column]}"

    def _of(self, event: Event) -> str:
        near = f"near={quote(event['@timestamp'], safe='')}"
        return f"{near}&{self._query}" if self._query else near
