"""PAM lines that any program may log: ``pam_unix(sshd:auth): authentication failure; … rhost=192.0.2.1  user=root``."""

from __future__ import annotations

import re

from collectors.parsers import fields as ecs
from kernel.event import Event

_PAM = re.compile(r"pam_\w+\(([^:)]+):(\w+)\): (.*)$")
_SESSION = re.compile(r"session (opened|closed) for user ([^\s(]+)(?:\(uid=(\d+)\))?(?: by ([^\s(]*)\(uid=(\d+)\))?")
_PAIR = re.compile(r"(?<!\w)(\w++)=(\S*)")


def parse_pam(event: Event, text: str) -> bool:
    """True if the text is a PAM line; the event is filled then."""
    start = text.find("pam_")
    if start < 0 or start > 8:
        return False
    match = _PAM.match(text, start)
    if match is None:
        return False
    service, kind, rest = match.groups()
    event["event.category"] = ["authentication"]
    ecs.put(event, "service.name", service)
    session = _SESSION.match(rest)
    if session is not None:
        opened = session[1] == "opened"
        event["event.category"] = ["session"]
        event["event.action"] = "session_opened" if opened else "session_closed"
        event["event.type"] = ["start" if opened else "end"]
        event["event.outcome"] = "success"
        ecs.put(event, "user.name", session[2])
        ecs.put(event, "user.id", session[3])
        if session[4] and session[4] != session[2]:
            event["user.effective.name"], event["user.name"] = session[2], session[4]
        return True
    pairs = dict(_PAIR.findall(rest))
    event["event.action"] = f"pam_{kind}"
    event["event.type"] = ["start"]
    if "failure" in rest or "check failed" in rest or "unknown" in rest:
        event["event.outcome"] = "failure"
    ecs.put(event, "event.reason", rest.split(";", 1)[0])
    user = re.search(r"\((\S+)\)$", rest) if "check failed" in rest else None
    ecs.put(event, "user.name", pairs.get("user") or pairs.get("ruser") or pairs.get("logname") or (user[1] if user else None))
    ecs.put_ip(event, "source", pairs.get("rhost"))
    ecs.network_type(event)
    return True
