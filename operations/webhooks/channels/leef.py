"""IBM Log Event Extended Format 2.0: ``LEEF:2.0|Liandun|Liandun|<version>|<rule or type>|x09|`` and attributes with tabs between.

Nothing is escaped in LEEF, so a value has neither the tab nor the end of a line, and a header field no ``|``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.webhooks.channels.cef import PRODUCT, milliseconds, printable
from operations.webhooks.channels.contract import Item
from operations.webhooks.channels.syslog import RANKS, Syslog, level_of

_FIELDS = (
    ("source_ip", "src"), ("destination_ip", "dst"), ("user", "usrName"), ("host", "identHostName"), ("engine", "cat"),
    ("id", "liandunId"), ("rule_name", "name"), ("title", "title"), ("count", "eventCount"),
)  # fmt: skip


class Leef(Syslog):
    """LEEF messages."""

    kind = "leef"

    def message(self, item: Item, stamp: str, data: Mapping[str, Any]) -> str:
        header = (*PRODUCT, str(data.get("rule_id") or item.event_type))
        pairs = {"devTime": str(milliseconds(stamp)), "sev": str(max(1, RANKS.get(level_of(data), 1)))}
        pairs |= {"externalId": item.message_id, "eventType": item.event_type}
        pairs |= {key: str(data[field]) for field, key in _FIELDS if data.get(field) not in (None, "")}
        attributes = "\t".join(f"{key}={_line(value)}" for key, value in pairs.items())
        return "LEEF:2.0|" + "|".join(_line(part).replace("|", "/") for part in header) + "|x09|" + attributes


def _line(text: str) -> str:
    return " ".join(printable(" ".join(text[:1024].split())).split())
