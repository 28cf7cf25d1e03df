# ruff: noqa: E501 - one shape a line
"""Logins and refusals that common servers write → ECS: mail, FTP, databases, SMB, VoIP, single sign-on.

One shape per line of the table; ``outcome`` says what it means, the named groups who and from where.
"""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_IP: Final = r"(?:ipv[46]:|::ffff:)?(?P<ip>[0-9A-Fa-f.:]{0,44}[0-9A-Fa-f])"
_SHAPES: Final = [
    # text that must be in the message, service, outcome, shape
    ("rip=", "dovecot", "failure", rf"(?:auth failed|Aborted login|tried to use|disabled|no auth attempts).*?(?:user=<(?P<user>[^>]*)>.*?)?rip={_IP},"),
    ("rip=", "dovecot", "success", rf"Login: user=<(?P<user>[^>]*)>.*?rip={_IP},"),
    ("auth-worker", "dovecot", "failure", rf"\b\w{{1,30}}\((?P<user>[^,()]{{1,255}}),{_IP}(?:,<[^>]*>)?\): (?:unknown user|.*fail|.*mismatch)"),
    ("SASL", "postfix", "failure", rf"(?<!\S)[^\s\[]{{1,255}}\[{_IP}\]: SASL \S+ authentication failed"),
    ("NOQUEUE: reject", "postfix", "failure", rf"NOQUEUE: reject: \w+ from [^\s\[]{{1,255}}\[{_IP}\](?::\d+)?: (?P<reason>[^;]*)"),
    (" LOGIN: Client", "vsftpd", "failure", rf"\[(?P<user>[^\]]*)\] FAIL LOGIN: Client \"{_IP}\""),
    (" LOGIN: Client", "vsftpd", "success", rf"\[(?P<user>[^\]]*)\] OK LOGIN: Client \"{_IP}\""),
    ("CONNECT: Client", "vsftpd", "", rf"CONNECT: Client \"{_IP}\""),
    ("(Login failed)", "proftpd", "failure", rf"\[{_IP}\]\):? (?:- )?USER (?P<user>\S+) \(Login failed\)"),
    ("no such user found", "proftpd", "failure", rf"USER (?P<user>[^:]+): no such user found from \S{{1,255}} \[{_IP}\]"),
    ("password authentication failed", "postgresql", "failure", rf"(?:\] |UTC:){_IP}(?:\(\d+\))?[ :].*authentication failed for user \"(?P<user>[^\"]*)\""),
    ("Login failed for user", "mssql", "failure", rf"Login failed for user '(?P<user>[^']*)'\.(?: Reason: (?P<reason>.*?))? \[CLIENT: {_IP}\]"),
    ("Access denied for user", "mysql", "failure", rf"Access denied for user '(?P<user>[^']*)'@'{_IP}'"),
    ("NT_STATUS_OK", "smb", "success", rf"Auth: \[.*user \[[^\]]*\]\\\[(?P<user>[^\]]*)\].*remote host \[{_IP}:\d+\]"),
    ("status [NT_STATUS_", "smb", "failure", rf"user \[[^\]]*\]\\\[(?P<user>[^\]]*)\].*status \[(?P<reason>NT_STATUS_\w+)\].*remote host \[{_IP}:\d+\]"),
    ("SecurityEvent=", "asterisk", "failure", rf"SecurityEvent=\"(?P<reason>(?:Invalid|Failed|ChallengeResponseFailed|AuthMethodNotAllowed)\w*)\".*AccountID=\"(?P<user>[^\"]*)\".*RemoteAddress=\"[^/]+/[^/]+/{_IP}/"),
    ("type=LOGIN_ERROR", "keycloak", "failure", rf"type=\"?LOGIN_ERROR.*?ipAddress=\"?{_IP}\"?, error=\"?(?P<reason>\w+)(?:.*username=\"?(?P<user>[^,\"\s]*))?"),
    ("type=LOGIN,", "keycloak", "success", rf"type=LOGIN,.*?ipAddress={_IP},(?:.*username=(?P<user>[^,\s]*))?"),
    ("failed to authenticate user", "harbor", "failure", rf"client IP=\"{_IP}[,\"].*failed to authenticate user:(?P<user>[^,\s]+)"),
]  # fmt: skip
_COMPILED: Final = [(mark, service, outcome, re.compile(shape)) for mark, service, outcome, shape in _SHAPES]


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a login line; False if the text is none."""
    for mark, service, outcome, shape in _COMPILED:
        if mark in message.text:
            match = shape.search(message.text)
            if match is not None:
                _put(event, match.groupdict(), service, outcome)
                return True
    return False


def _put(event: Event, groups: dict[str, str | None], service: str, outcome: str) -> None:
    event["event.category"], event["event.type"] = ["authentication"], ["start"]
    event["event.action"] = "login" if outcome else "connect"
    ecs.put(event, "event.outcome", outcome)
    event["service.name"] = service
    ecs.put_ip(event, "source", groups.get("ip"))
    ecs.put(event, "user.name", groups.get("user"))
    ecs.put(event, "event.reason", (groups.get("reason") or "").strip())
    ecs.network_type(event)
