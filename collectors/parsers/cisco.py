"""Cisco IOS, IOS XE, NX-OS, ASA and FTD messages → ECS.

Shape: ``%FACILITY-SEVERITY-MNEMONIC: text`` (Cisco, "System Message Guide"; "ASA Series Syslog Messages"), after a head of sequence
number, host and stamp in many orders. The facility stays ``event.provider``, the mnemonic ``event.code``.
"""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_LOG = re.compile(r"%([A-Z][A-Z0-9_]{1,30}(?:-[A-Z][A-Z0-9_]{1,30}){0,3})-([0-7])-([A-Z0-9_]{1,60})(?::\s?|\s)")
_HEAD = re.compile(r"[\w\s.:,;*+<>()\[\]/-]{0,200}")
"""What may stand before: numbers, names, stamps. Not a quoted request with such words in it."""
_STAMP = re.compile(clock.BSD_STAMP)
_FIREWALLS: Final = frozenset({"ASA", "FTD", "PIX", "FWSM"})
_ADDRESS: Final = r"[0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f.:]{2,44}"
_DENIED = re.compile(
    rf"Deny (?:inbound )?(?P<proto>\w+) (?:\([^)]*\) )?(?:src|from) (?:[\w-]+:)?(?P<src>{_ADDRESS})/?(?P<sport>\d+)? "
    rf"(?:dst|to) (?:[\w-]+:)?(?P<dst>{_ADDRESS})/?(?P<dport>\d+)?"
)
_BUILT = re.compile(
    rf"(?:Built|Teardown) (?:(?P<way>inbound|outbound) )?(?P<proto>\w+) connection \d+ for "
    rf"[\w-]+:(?P<src>{_ADDRESS})/(?P<sport>\d+).*? to [\w-]+:(?P<dst>{_ADDRESS})/(?P<dport>\d+)"
)
_LIST = re.compile(
    rf"list (?P<rule>\S+) (?P<verdict>permitted|denied) (?P<proto>\w+) (?P<src>{_ADDRESS})(?:\((?P<sport>\d+)\))?[^-]{{0,40}}-> "
    rf"(?P<dst>{_ADDRESS})(?:\((?P<dport>\d+)\))?"
)
_LOGIN = re.compile(rf"\[user: (?P<user>[^\]]*)\] \[Source: (?P<src>{_ADDRESS})\]")
_COMMANDS: Final = (
    re.compile(r"User:\s?(?P<user>\S+)\s+logged command:\s?(?P<command>.*)$"),  # IOS: PARSER-5-CFGLOG_LOGGEDCMD
    re.compile(r"User '(?P<user>[^']*)'[^']{0,80}executed (?:the )?'(?P<command>.*)'"),  # ASA: 111008, 111010
    re.compile(r"(?:update|start|stop):\S{1,80}:(?P<user>[^:\s]+):(?P<command>.*?)(?: \(\w+\))?$"),  # NX-OS: AAA_ACCOUNTING_MESSAGE
)


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a Cisco message; False if the text is something else."""
    text = str(event["event.original"])[:8192]
    match = _LOG.search(text)
    if match is None or _HEAD.fullmatch(text, 0, match.start()) is None:
        return False
    facility, severity, mnemonic = match.groups()
    head, body = text[: match.start()], text[match.end() :]
    firewall = facility in _FIREWALLS
    event["event.dataset"] = "cisco.asa" if firewall else "cisco.ios"
    event["event.module"], event["observer.vendor"] = "cisco", "Cisco"
    event["observer.type"] = "firewall" if firewall else "network"
    event["event.provider"], event["event.code"], event["event.severity"] = facility, mnemonic, int(severity)
    event["event.action"] = mnemonic.lower()
    event["event.category"], event["event.type"] = ["host"], ["info"]
    event["message"] = text[match.start() :]
    event.pop("process.name", None)  # the tag of the message is no program
    stamp = _STAMP.search(head)
    if stamp is not None and not message.stamp:
        ecs.put(event, "@timestamp", clock.bsd(stamp[0], message.received))
    if "host.name" not in event or str(event["host.name"]).startswith("%"):
        event.pop("host.name", None)
        ecs.put(event, "host.name", _host(head))
    ecs.put(event, "observer.hostname", event.get("host.name"))
    _details(event, body)
    ecs.network_type(event)
    return True


def _host(head: str) -> str | None:
    """The first word before the stamp that is no number: ``<189>22191: core1: 022546: Feb 17 …``."""
    stamp = _STAMP.search(head)
    words = re.sub(r"^<\d+>", "", head[: stamp.start()] if stamp else head).split()
    names = (word.rstrip(":") for word in words if not word.startswith(("*", ".")))
    return next((name for name in names if name and not name.replace(":", "").isdigit() and name != "seq"), None)


def _details(event: Event, body: str) -> None:
    denied, built, listed = _DENIED.search(body), _BUILT.search(body), _LIST.search(body)
    connection = denied or built or listed
    if connection is not None:
        groups = connection.groupdict()
        ecs.put_ip(event, "source", groups["src"])
        ecs.put_ip(event, "destination", groups["dst"])
        ecs.put_port(event, "source.port", groups["sport"])
        ecs.put_port(event, "destination.port", groups["dport"])
        ecs.put(event, "network.transport", ecs.transport(groups["proto"].lower()))
        ecs.put(event, "network.direction", groups.get("way"))
        ecs.put(event, "rule.name", groups.get("rule"))
        put_verdict(event, denied is None and groups.get("verdict") != "denied")
        return
    login = _LOGIN.search(body)
    command = next((found for shape in _COMMANDS if (found := shape.search(body))), None)
    if login is not None:
        ecs.put(event, "user.name", login["user"])
        ecs.put_ip(event, "source", login["src"])
        event["event.category"], event["event.type"] = ["authentication"], ["start"]
        event["event.outcome"] = "failure" if "FAIL" in str(event["event.code"]) else "success"
    elif command is not None:
        ecs.put(event, "user.name", command["user"])
        ecs.put(event, "process.command_line", command["command"].strip())
        event["event.category"], event["event.type"] = ["configuration"], ["change"]
