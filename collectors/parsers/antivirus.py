"""ClamAV findings → ECS (ClamAV manual, "Scanning": ``path: Signature FOUND``)."""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

PROGRAMS: Final = frozenset({"clamd", "clamav", "clamav-daemon", "clamscan", "clamdscan", "clamonacc", "freshclam"})
_FOUND = re.compile(r"(?:.* -> )?(.+): (\S+?)(?:\(([0-9a-f]{32}):(\d+)\))? FOUND\s*$")


def clamav(event: Event, message: Message) -> None:
    """Fill the event; a line that tells of no finding keeps its text."""
    event["event.dataset"], event["event.module"] = "linux.clamav", "clamav"
    match = _FOUND.match(message.text)
    if match is None:
        event["event.category"], event["event.type"] = ["host"], ["info"]
        return
    path, signature, md5, size = match.groups()
    event["event.kind"] = "alert"
    event["event.category"], event["event.type"], event["event.action"] = ["malware"], ["info"], "malware-found"
    ecs.put_file(event, path)
    event["rule.name"] = signature
    ecs.put(event, "file.hash.md5", md5)
    ecs.put(event, "file.size", ecs.as_int(size))
