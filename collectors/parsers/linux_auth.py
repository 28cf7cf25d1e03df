"""sudo, su, cron, logins and account tools of Linux → ECS."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from collectors.parsers import fields as ecs
from collectors.parsers.pam import parse_pam
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_SUDO = re.compile(r"\s*(\S+) : (.*)$", re.DOTALL)
_SU_PLAIN = re.compile(r"(FAILED SU )?\(to ([^)]+)\) (\S+) on (\S+)")
_SU_WORDS = re.compile(r"(Successful|FAILED) su for (\S+) by (\S+)")
_CRON = re.compile(r"\(([^)]*)\) (\w+) \((.*)\)\s*$", re.DOTALL)
_ACCOUNT: Final = [
    (re.compile(r"new user: name=([^,]+), UID=(\d+)"), "added-user-account", "creation"),
    (re.compile(r"new group: name=([^,]+), GID=(\d+)"), "added-group-account", "creation"),
    (re.compile(r"delete user '([^']+)'"), "deleted-user-account", "deletion"),
    (re.compile(r"add '([^']+)' to (?:shadow )?group '([^']+)'"), "added-member-to-group", "change"),
    (re.compile(r"(?:pam_unix\(passwd:chauthtok\): )?password changed for (\S+)"), "changed-password", "change"),
]
_LOGIND = re.compile(r"New session (\S+) of user (\S+?)\.$")
_LOGIN_FAILED = re.compile(r"FAILED LOGIN \(?\d+\)? (?:on|from) '?([^']+?)'? (?:FOR|for) '?([^',]+)'?")


def sudo(event: Event, message: Message) -> None:
    """``alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls`` and its refusals."""
    _auth(event, message, "process")
    match = _SUDO.match(message.text)
    if match is None:
        parse_pam(event, message.text)
        return
    head, _, command = match[2].partition("COMMAND=")
    pairs: dict[str, str] = {}
    refusals: list[str] = []
    for part in head.split(" ; "):
        key, equals, value = part.strip().partition("=")
        if equals and key.isupper():
            pairs[key] = value.strip()
        elif part.strip(" ;"):
            refusals.append(part.strip(" ;"))
    event["event.action"] = "sudo"
    event["event.type"] = ["start"]
    event["event.outcome"] = "failure" if refusals else "success"
    ecs.put(event, "event.reason", "; ".join(refusals))
    ecs.put(event, "user.name", match[1])
    ecs.put(event, "user.effective.name", pairs.get("USER"))
    ecs.put(event, "process.working_directory", pairs.get("PWD"))
    ecs.put(event, "process.command_line", command.strip())
    if command:
        event["process.executable"] = command.split(" ", 1)[0].strip()
        event["process.name"] = ecs.split_windows_path(event["process.executable"])


def su(event: Event, message: Message) -> None:
    """``(to root) alice on pts/0``, ``FAILED SU (to root) …``, ``Successful su for root by alice``."""
    _auth(event, message, "authentication")
    plain, words = _SU_PLAIN.match(message.text), _SU_WORDS.match(message.text)
    if plain is not None:
        failed, target, user = plain[1] is not None, plain[2], plain[3]
    elif words is not None:
        failed, target, user = words[1] == "FAILED", words[2], words[3]
    else:
        parse_pam(event, message.text)
        return
    event["event.action"] = "su"
    event["event.type"] = ["start"]
    event["event.outcome"] = "failure" if failed else "success"
    event["user.name"], event["user.effective.name"] = user, target


def cron(event: Event, message: Message) -> None:
    """``(root) CMD (command)``; also the table edits ``(root) REPLACE (root)``."""
    _auth(event, message, "process")
    match = _CRON.match(message.text)
    if match is None:
        parse_pam(event, message.text)
        return
    ecs.put(event, "user.name", match[1])
    event["event.action"] = f"cron_{match[2].lower()}"
    event["event.type"] = ["start"]
    if match[2] in ("CMD", "CMDEND"):
        event["process.command_line"] = match[3]
    else:
        event["event.category"], event["event.type"] = ["configuration"], ["change"]


def accounts(event: Event, message: Message) -> None:
    """useradd, userdel, usermod, gpasswd, passwd …"""
    _auth(event, message, "iam")
    for shape, action, kind in _ACCOUNT:
        match = shape.search(message.text)
        if match is not None:
            event["event.action"], event["event.type"], event["event.outcome"] = action, [kind], "success"
            ecs.put(event, "group.name" if "group-account" in action else "user.target.name", match[1])
            if action == "added-member-to-group":
                event["group.name"] = match[2]
            return
    parse_pam(event, message.text)


def logins(event: Event, message: Message) -> None:
    """login, systemd-logind and other programs that only speak PAM."""
    _auth(event, message, "authentication")
    session, failed = _LOGIND.match(message.text), _LOGIN_FAILED.match(message.text)
    if session is not None:
        event["event.action"], event["event.type"], event["event.outcome"] = "session_opened", ["start"], "success"
        event["event.category"] = ["session"]
        event["user.name"] = session[2]
    elif failed is not None:
        event["event.action"], event["event.type"], event["event.outcome"] = "login", ["start"], "failure"
        ecs.put_ip(event, "source", failed[1])
        event["user.name"] = failed[2]
    else:
        parse_pam(event, message.text)


def _auth(event: Event, message: Message, category: str) -> None:
    event["event.dataset"] = "linux.auth"
    event["event.category"] = [category]
    ecs.put(event, "process.name", ecs.split_windows_path(message.app))


PROGRAMS: Final[dict[str, Callable[[Event, Message], None]]] = {
    "sudo": sudo,
    "su": su,
    "cron": cron,
    "crond": cron,
    "crontab": cron,
    "anacron": cron,
    **dict.fromkeys(("useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "gpasswd", "passwd", "chage"), accounts),
    **dict.fromkeys(("login", "systemd-logind", "gdm-password", "polkitd", "systemd-user"), logins),
}
"""Program name of the syslog tag (lower case) → what reads its message."""
