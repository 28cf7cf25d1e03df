"""Syslog headers: RFC 3164, RFC 5424 and what devices send instead.

Accepted without complaint: no PRI, no host, year before or after the time, ISO stamps in an RFC 3164 frame, blanks after PRI, BOM.
What cannot be told apart is left in the message; nothing is thrown away.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Final

import msgspec

from collectors.parsers import clock

FACILITIES: Final = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "audit",
    "alert",
    "clock",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]
SEVERITIES: Final = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"]

_PRI = re.compile(r"<(\d{1,3})>")
_RFC5424 = re.compile(
    r"""(\d{1,2})\ +                          # version
        (-|\d{4}-\d\d-\d\d[T ]\S+)\ +         # timestamp
        (\S+)\ +(\S+)\ +(\S+)\ +(\S+)         # host, app, procid, msgid
        (?:\ +|$)                             # then structured data or "-"
    """,
    re.VERBOSE,
)
_ISO_STAMP = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z\b|[+-]\d\d:?\d\d))?")
_BSD_STAMP = re.compile(clock.BSD_STAMP)
_HOST = re.compile(r"[\w.:\-\[\]/@]+|\(none\)")
_TAG = re.compile(r"([A-Za-z_/%][\w./\-%@()]{0,127}?)(?:\[([^\]\s]{0,64})\])?: ?")
_SD_ELEMENT = re.compile(r"\[([^\s=\]\"]{1,128})((?:\s+[^\s=\]\"]{1,64}=\"(?:\\.|[^\"\\])*\")*)\s*\]")
_SD_PARAMETER = re.compile(r"([^\s=\]\"]{1,64})=\"((?:\\.|[^\"\\])*)\"")
_SD_ESCAPE = re.compile(r"\\([\"\\\]])")


class Message(msgspec.Struct):
    """A syslog message taken apart; "" and None mean "not given".

    received is the arrival in microseconds since the epoch; stamp is the time stamp as written.
    """

    text: str
    received: int
    priority: int | None = None
    version: str = ""
    stamp: str = ""
    host: str = ""
    app: str = ""
    procid: str = ""
    msgid: str = ""
    structured: dict[str, dict[str, str]] = {}

    def time(self, zone: tzinfo | None = None) -> str | None:
        """``@timestamp`` text of the stamp, or None; a stamp without zone is in ``zone``, default ``Clock.zone``."""
        if not self.stamp:
            return None
        if self.stamp[0].isdigit():
            return clock.local(self.stamp, zone)
        return clock.bsd(self.stamp, self.received, zone)


def split(text: str, received: int) -> Message:
    """Take the header off a syslog message; never fails."""
    message = Message(text=text, received=received)
    match = _PRI.match(text)
    position = 0
    if match is not None and int(match[1]) <= 191:
        message.priority = int(match[1])
        position = match.end()
        modern = _RFC5424.match(text, position)
        if modern is not None:
            return _modern(message, text, modern)
    else:
        modern = _RFC5424.match(text)
        if modern is not None and modern[1] == "1":
            return _modern(message, text, modern)
    return _legacy(message, text, position)


def _modern(message: Message, text: str, match: re.Match[str]) -> Message:
    message.version = match[1]
    message.stamp, message.host, message.app, message.procid, message.msgid = (
        "" if value == "-" else value for value in match.group(2, 3, 4, 5, 6)
    )
    position = match.end()
    if text.startswith("-", position):
        position += 1
    else:
        message.structured = {}
        while (element := _SD_ELEMENT.match(text, position)) is not None:
            pairs = _SD_PARAMETER.findall(element[2])
            message.structured.setdefault(element[1], {}).update((name, _SD_ESCAPE.sub(r"\1", value)) for name, value in pairs)
            position = element.end()
    message.text = text[position:].lstrip(" ").removeprefix("\ufeff")
    return message


def _legacy(message: Message, text: str, position: int) -> Message:
    start = position
    while text.startswith((" ", ":", "*"), start):
        start += 1
    stamp = _BSD_STAMP.match(text, start) or _ISO_STAMP.match(text, start)
    if stamp is None:
        message.text = text[position:].lstrip(" ")
        _take_tag(message)
        return message
    message.stamp = stamp[0]
    rest = text[stamp.end() :].lstrip(" ")
    message.text = rest
    host = _HOST.match(rest)
    if host is not None and rest.startswith(" ", host.end()) and not _is_tag(host[0]):
        message.host = "" if host[0] == "(none)" else host[0]
        message.text = rest[host.end() :].lstrip(" ")
    _take_tag(message)
    return message


def _is_tag(word: str) -> bool:
    """``sshd:`` and ``sshd[1]:`` are tags, ``192.0.2.1``, ``srv`` and ``fe80::1`` are hosts."""
    return word.endswith(":") and not word.endswith("::")


def _take_tag(message: Message) -> None:
    tag = _TAG.match(message.text)
    if tag is None or tag[1].startswith("%%"):
        return
    message.app, message.procid = tag[1], tag[2] or ""
    message.text = message.text[tag.end() :]
