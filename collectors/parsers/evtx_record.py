"""One EVTX record, as the ``evtx`` library renders it in JSON → ECS."""

from __future__ import annotations

import orjson

from collectors.parsers import windows
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event
from kernel.record import RawRecord
from kernel.windows_event import read_windows_event


def parse(record: RawRecord) -> list[Event]:
    """One event; raises ParseError if the record is no Windows event."""
    try:
        obj = orjson.loads(record.raw)
    except orjson.JSONDecodeError as error:
        raise ParseError(f"EVTX record is not JSON at {where(record)}: {error}") from error
    event = read_windows_event(obj) if isinstance(obj, dict) else None
    if event is None:
        raise ParseError(f"EVTX record without channel and event id at {where(record)}")
    return [windows.to_ecs(event, decode(record.raw))]
