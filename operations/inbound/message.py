"""The body of an inbound message, strictly read, and the detection that it becomes.

Nothing of what a sender says decides who sees the alert: its own fields get ECS names only where these are entities of a file, a
process or a domain, everything else stands under ``labels``.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from kernel.detection import LEVELS, Detection, detection_id, level_rank
from kernel.event import EARLIEST, Event, is_ip, parse_timestamp
from operations import clock
from operations.errors import Invalid

ENGINE = "inbound"
DATASET = "liandun.inbound"
FUTURE_SECONDS = 24 * 3600
ECS_FIELDS = frozenset(
    {
        "process.name", "process.executable", "process.command_line", "file.name", "file.path",
        "file.hash.md5", "file.hash.sha1", "file.hash.sha256", "dns.question.name", "url.domain", "url.full",
    }
)  # fmt: skip
"""Fields of a sender that keep their names, as text."""

_Line = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
_Title = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=8192, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")]
_Number = Annotated[int, msgspec.Meta(ge=-(1 << 62), le=1 << 62)]
_Value = Annotated[str, msgspec.Meta(max_length=2048, pattern=r"^[^\x00]*\Z")] | _Number | float | bool
_Fields = Annotated[dict[_Name, _Value], msgspec.Meta(max_length=50)]
_READABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"(?:required|unknown) field `(.*)`$", re.DOTALL)


class AlertData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the alert says."""

    title: _Title
    level: Literal["informational", "low", "medium", "high", "critical"]
    description: _Text = ""
    host: _Line = ""
    source_ip: _Line = ""
    destination_ip: _Line = ""
    user: _Line = ""
    rule: _Line = ""
    url: Annotated[str, msgspec.Meta(max_length=2048, pattern=r"^[^\x00-\x20\x7f]*\Z")] = ""
    fields: _Fields = {}


class Message(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole body."""

    type: Literal["alert"]
    timestamp: Annotated[str, msgspec.Meta(max_length=64)]
    data: AlertData


def read(body: bytes, present: str) -> Message:
    """The message, with ``timestamp`` as @timestamp text. Raises Invalid, which names the field (``data.level``; "" = the JSON)."""
    try:
        message = msgspec.json.decode(body, type=Message)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is no JSON: {error}"[:200]) from error
    moment = parse_timestamp(message.timestamp)
    if moment is None or moment < EARLIEST:
        raise Invalid("no moment; write 2027-06-30T00:00:00Z", field="timestamp")
    if moment > clock.shift(present, FUTURE_SECONDS):
        raise Invalid("lies more than 24 h in the future", field="timestamp")
    _check(message.data)
    return msgspec.structs.replace(message, timestamp=moment)


def _check(data: AlertData) -> None:
    if not data.title.strip():
        raise Invalid("is empty", field="data.title")
    for name in ("source_ip", "destination_ip"):
        value = getattr(data, name)
        if value and not is_ip(value):
            raise Invalid("no IPv4 or IPv6 address", field=f"data.{name}")
    if data.url:
        try:
            parts = urlsplit(data.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise Invalid("no http or https URL", field="data.url")


def _misfit(text: str) -> Invalid:
    found = _PLACE.match(text)
    what, path = (found["what"], found["path"] or "") if found else (text, "")
    named = _NAMED.search(what)
    if named:
        path = f"{path}.{named[1]}" if path else named[1]
    return Invalid(what[:200], field=path.replace("[...]", "")[:120])


def detection(message: Message, message_id: str, *, source: int, zone: str, organisation: str, max_level: str) -> Detection:
    """The detection. Its id comes of source and message: the same message never counts twice."""
    data = message.data
    level = data.level if level_rank(data.level) <= level_rank(max_level) else LEVELS[level_rank(max_level)]
    found_id = detection_id(f"inbound.{source}", [message_id])
    event: Event = dict(_own(data.fields)) | {
        "@timestamp": message.timestamp,
        "event.id": found_id,
        "event.kind": "alert",
        "event.dataset": DATASET,
        "liandun.source": f"inbound.{source}",
        "message": data.description or data.title,
    }
    said = {
        "host.name": data.host, "user.name": data.user, "source.ip": data.source_ip, "destination.ip": data.destination_ip,
        "rule.name": data.rule, "event.url": data.url, "host.zone": zone, "organization.name": organisation,
        "labels.claimed_level": data.level if level != data.level else "",
    }  # fmt: skip
    event |= {name: value for name, value in said.items() if value}
    return Detection(
        id=found_id,
        rule_id=rule_id(source, data),
        rule_name=" ".join(data.title.split()),
        level=level,
        engine=ENGINE,
        time=message.timestamp,
        event_ids=[],
        event=event,
        description=data.description,
        references=[data.url] if data.url else [],
    )


def rule_id(source: int, data: AlertData) -> str:
    """What alerts are grouped by, with host, user and address: the sender's rule, or else the title."""
    if _READABLE.fullmatch(data.rule):
        return f"inbound.{source}.{data.rule}"
    return f"inbound.{source}.{hashlib.blake2b((data.rule or data.title).encode(), digest_size=16).hexdigest()}"


def _own(fields: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, str(value)) if name in ECS_FIELDS else (f"labels.{name}", value) for name, value in fields.items()]
