"""ArcSight Common Event Format, version 0 (implementation standard, revision 25 and later).

``CEF:0|Liandun|Liandun|<version>|<rule or type>|<name>|<0-10>|<key=value …>``. In the header ``|`` and ``\\`` are escaped, in the
extension ``=``, ``\\`` and ends of lines. IPv6 has keys of its own (c6a2, c6a3): ``src`` and ``dst`` are IPv4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from operations.webhooks.channels.contract import Item
from operations.webhooks.channels.syslog import RANKS, Syslog, level_of

PRODUCT = ("Liandun", "Liandun", "1")
_DIRECT = (("host", "dhost"), ("user", "duser"), ("count", "cnt"), ("dataset", "deviceFacility"), ("engine", "cat"))
_ADDRESSES = (
    ("source_ip", "src", "c6a2", "Source IPv6 Address"),
    ("destination_ip", "dst", "c6a3", "Destination IPv6 Address"),
)


class Cef(Syslog):
    """CEF messages."""

    kind = "cef"

    def message(self, item: Item, stamp: str, data: Mapping[str, Any]) -> str:
        name = str(data.get("rule_name") or data.get("title") or data.get("message") or item.event_type)
        rank = RANKS.get(level_of(data), 1)
        header = (*PRODUCT, str(data.get("rule_id") or item.event_type), name, str(rank))
        pairs = {"externalId": item.message_id, "rt": str(milliseconds(stamp)), "act": item.event_type}
        pairs |= {key: str(data[field]) for field, key in _DIRECT if data.get(field) not in (None, "")}
        for field, key, six, label in _ADDRESSES:
            address = data.get(field)
            if address and ":" in str(address):
                pairs |= {six: str(address), f"{six}Label": label}
            elif address:
                pairs[key] = str(address)
        if data.get("id") is not None:
            pairs |= {"cs1": str(data["id"]), "cs1Label": "Liandun id"}
        extension = " ".join(f"{key}={_value(value)}" for key, value in pairs.items())
        return "CEF:0|" + "|".join(_header(part) for part in header) + "|" + extension


def milliseconds(stamp: str) -> int:
    """@timestamp text as milliseconds since the epoch."""
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)


def printable(text: str) -> str:
    """Without control characters: an escape sequence would be carried out by the terminal of whoever reads the log."""
    return "".join(letter if letter >= " " and not "\x7f" <= letter <= "\x9f" else " " for letter in text)


def _header(text: str) -> str:
    return " ".join(printable(text[:512]).split()).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    escaped = text[:1023].replace("\\", "\\\\").replace("=", "\\=")
    return "\\n".join(map(printable, escaped.splitlines())).strip()
