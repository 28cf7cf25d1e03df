"""CloudEvents 1.0.2, HTTP binding, structured mode (JSON event format), under the signature of Standard Webhooks.

{"specversion": "1.0", "id": "msg_…", "source": "/liandun", "type": "liandun.alert.created", "time": "…",
 "datacontenttype": "application/json", "subject": "17", "data": {…}}
``id`` is the message id: source + id are the same over all attempts, as 3.1.1 demands of the same event.
"""

from __future__ import annotations

from typing import Any

import orjson

from operations.webhooks.channels.contract import Item
from operations.webhooks.channels.standard import Standard

SOURCE = "/liandun"
TYPE_PREFIX = "liandun."


class CloudEvents(Standard):
    """One event a request."""

    kind = "cloudevents"
    content_type = "application/cloudevents+json; charset=utf-8"

    def body(self, item: Item) -> bytes:
        message = orjson.loads(item.body)
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": item.message_id,
            "source": SOURCE,
            "type": TYPE_PREFIX + item.event_type,
            "time": message["timestamp"],
            "datacontenttype": "application/json",
        }
        if "id" in message["data"]:
            event["subject"] = str(message["data"]["id"])
        return orjson.dumps({**event, "data": message["data"]})
