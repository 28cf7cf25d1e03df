"""How a message of a target for people would look, before anything is sent."""

from __future__ import annotations

import msgspec
import orjson

from operations import clock
from operations.errors import Invalid
from operations.webhooks.channels.contract import Destination, Item
from operations.webhooks.channels.registry import channel_of
from operations.webhooks.channels.settings import LANGUAGES
from operations.webhooks.channels.text import message_text, subject, template


class Preview(msgspec.Struct, frozen=True):
    """``subject`` is that of a mail."""

    subject: str
    text: str


def preview(kind: str, language: str, written: str) -> Preview:
    """An alert of an example as it would be told. Raises Invalid."""
    if not channel_of(kind).chat:
        raise Invalid(f"nobody reads what goes to a target of the kind {kind}", field="kind")
    if language not in LANGUAGES:
        raise Invalid("the language is zh or en", field="settings")
    to = Destination("", "", {"language": language, "template": template("template", written)})
    present = clock.now()
    data = {
        "id": 17, "rule_id": "example", "rule_name": "Webshell (example)", "engine": "sigma",
        "level": "high", "status": "new", "count": 3,
        "first_seen": present, "last_seen": present, "created_at": present, "host": "web-1", "user": "www-data",
        "source_ip": "192.0.2.7", "destination_ip": "2001:db8::10", "dataset": "nginx.access", "tags": ["attack.t1505.003"],
    }  # fmt: skip
    item = Item(0, "msg_example", "alert.created", orjson.dumps({"type": "alert.created", "timestamp": present, "data": data}))
    return Preview(subject([item], to), message_text([item], to))
