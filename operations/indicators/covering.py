"""Whether a value that somebody looks at is watched for: as itself, within a network, below a domain.

Every indicator that could cover a value has one of few spellings, and each is found by one look into the index of values. So pages
need no index of intervals of their own, and answer for what was entered a second ago.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sqlalchemy.orm import Session

from kernel.addresses import without_scope
from kernel.indicators.values import guessed
from operations.indicators.guard import WIDEST
from operations.indicators.listing import MAX_PAGE, known
from operations.indicators.schema import IndicatorRecord


def covering(session: Session, values: Iterable[str]) -> dict[str, IndicatorRecord]:
    """Value as given → the indicator in force that covers it most closely, for those that one covers."""
    wanted = {value: spellings(value) for value in values}
    every = sorted({spelling for found in wanted.values() for spelling in found})
    there: dict[str, IndicatorRecord] = {}
    for at in range(0, len(every), MAX_PAGE):
        there |= known(session, every[at : at + MAX_PAGE])
    closest = {value: next((there[one] for one in found if one in there), None) for value, found in wanted.items()}
    return {value: record for value, record in closest.items() if record is not None}


def spellings(value: str) -> list[str]:
    """How the indicators that cover ``value`` would be written, the closest first; none where it is no value of an indicator."""
    try:
        kind, text = guessed(value)
    except ValueError:
        return []
    if kind == "address":
        return [text, *_networks(text)]
    if kind == "domain" and not text.startswith("*."):
        labels = text.split(".")
        return [text, *("*." + ".".join(labels[place:]) for place in range(len(labels) - 1))]
    return [text]


def _networks(address: str) -> list[str]:
    found = ipaddress.ip_network(without_scope(address) or address)
    widest = WIDEST[found.version]
    return [found.supernet(new_prefix=length).compressed for length in range(found.max_prefixlen - 1, widest - 1, -1)]
