"""OpenSSH server messages → ECS (texts as in openssh-portable auth.c, sshd.c, packet.c).

User names come from the attacker and may contain `` from 192.0.2.1 port 22``; so the *last* `` from `` counts.
"""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import fields as ecs
from collectors.parsers.pam import parse_pam
from collectors.parsers.syslog_header import Message
from kernel.event import Event

PROGRAMS: Final = frozenset({"sshd", "sshd-session", "sshd-auth", "in.sshd", "dropbear"})

_PEER: Final = r"(?P<ip>[0-9A-Fa-f:.]+)(?:%\w+)?(?: port (?P<port>\d+))?"
_SHAPES: Final[list[tuple[str | tuple[str, ...], str, str, str, str]]] = [
    # text the message starts with, shape, event.action, event.type, event.outcome
    ("Accepted ", rf"Accepted (?P<method>\S+) for (?P<user>.*) from {_PEER}(?: ssh2?.*)?$", "ssh_login", "start", "success"),
    (
        "Failed ",
        rf"Failed (?P<method>\S+) for (?:invalid user )?(?P<user>.*) from {_PEER}(?: ssh2?.*)?$",
        "ssh_login",
        "start",
        "failure",
    ),
    ("Invalid user ", rf"Invalid user (?P<user>.*) from {_PEER}\s*(?:\[preauth\])?$", "ssh_login", "start", "failure"),
    ("Illegal user ", rf"Illegal user (?P<user>.*) from {_PEER}", "ssh_login", "start", "failure"),
    ("User ", rf"User (?P<user>.*) from {_PEER} not allowed because (?P<reason>.*)$", "ssh_login", "denied", "failure"),
    ("ROOT LOGIN REFUSED", rf"ROOT LOGIN REFUSED FROM {_PEER}", "ssh_login", "denied", "failure"),
    (
        ("error: maximum", "maximum"),
        rf"(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?(?P<user>.*) from {_PEER}(?: ssh2?.*)?",
        "ssh_login",
        "denied",
        "failure",
    ),
    (
        "error: PAM",
        rf"error: PAM: (?P<reason>.{1, 80}?) for (?:illegal user )?(?P<user>.*) from {_PEER}$",
        "ssh_login",
        "start",
        "failure",
    ),
    (
        ("Unable to negotiate", "fatal: Unable to negotiate"),
        rf"(?:fatal: )?Unable to negotiate (?:a key exchange method )?with {_PEER}: (?P<reason>.*?)(?: \[preauth\])?\s*$",
        "ssh_negotiation",
        "denied",
        "failure",
    ),
    (
        "Bad protocol version",
        rf"Bad protocol version identification '(?P<reason>.*)' from {_PEER}",
        "ssh_negotiation",
        "denied",
        "failure",
    ),
    ("Did not receive", rf"Did not receive identification string from {_PEER}", "ssh_scan", "denied", "failure"),
    ("banner exchange", rf"banner exchange: Connection from {_PEER}: (?P<reason>.*)$", "ssh_negotiation", "denied", "failure"),
    (
        ("Connection closed", "Connection reset"),
        rf"Connection (?:closed|reset) by (?:(?:authenticating|invalid) user (?P<user>.*) )?{_PEER}",
        "ssh_disconnect",
        "end",
        "",
    ),
    (
        "Disconnected from",
        rf"Disconnected from (?:(?:(?:authenticating|invalid) )?user (?P<user>.*) )?{_PEER}",
        "ssh_disconnect",
        "end",
        "",
    ),
    ("Received disconnect", rf"Received disconnect from {_PEER}:(?P<reason>.*)$", "ssh_disconnect", "end", ""),
    ("Connection from", rf"Connection from {_PEER}(?: on (?P<to>\S+) port (?P<to_port>\d+))?", "ssh_connect", "start", ""),
]
_COMPILED: Final = [(start, re.compile(shape), action, kind, outcome) for start, shape, action, kind, outcome in _SHAPES]


def parse_sshd(event: Event, message: Message) -> None:
    """Fill the event from one sshd line; a line of unknown shape keeps its text only."""
    event["event.dataset"] = "linux.auth"
    event["event.category"] = ["authentication"]
    event["process.name"] = (
        "dropbear" if message.app == "dropbear" else "sshd"
    )  # since 9.8 parts of sshd log as sshd-session, sshd-auth
    text = message.text
    if parse_pam(event, text):
        return
    for start, shape, action, kind, outcome in _COMPILED:
        if text.startswith(start):
            match = shape.match(text)
            if match is not None:
                _fill(event, match, action, kind, outcome)
                return


def _fill(event: Event, match: re.Match[str], action: str, kind: str, outcome: str) -> None:
    groups = match.groupdict()
    event["event.action"] = action
    event["event.type"] = [kind]
    if outcome:
        event["event.outcome"] = outcome
    ecs.put_ip(event, "source", groups.get("ip"))
    ecs.put_port(event, "source.port", groups.get("port"))
    ecs.put_ip(event, "destination", groups.get("to"))
    ecs.put_port(event, "destination.port", groups.get("to_port"))
    ecs.put(event, "user.name", groups.get("user"))
    ecs.put(event, "event.reason", (groups.get("reason") or "").strip())
    ecs.put(event, "system.auth.ssh.method", groups.get("method"))
    event["network.protocol"] = "ssh"
    event["network.transport"] = "tcp"
    ecs.network_type(event)
