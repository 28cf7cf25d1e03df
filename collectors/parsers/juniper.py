"""Juniper Junos messages → ECS (Juniper, "System Log Explorer"): who wrote it, and the sessions of SRX firewalls."""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_DAEMONS: Final = frozenset(
    {"/kernel", "rpd", "mgd", "chassisd", "dcd", "mib2d", "eswd", "pfed", "jlaunchd", "rt_flow", "rt_idp", "rt_utm", "rt_ids"}
)
_SESSION = re.compile(
    r"RT_FLOW_SESSION_(?P<what>CREATE|CLOSE|DENY)(?:_LS)?: .*?(?P<src>[0-9A-Fa-f.:]+)/(?P<sport>\d+)->"
    r"(?P<dst>[0-9A-Fa-f.:]+)/(?P<dport>\d+)"
)


def looks_like(message: Message) -> bool:
    """True for a Junos daemon's tag and for Junos' structured data."""
    return message.app.lower() in _DAEMONS or any(name.startswith("junos@") for name in message.structured)


def fill(event: Event, message: Message) -> bool:
    """Fill the event; what no shape fits keeps its text."""
    event["event.dataset"] = "juniper.junos"
    event["event.module"], event["observer.vendor"] = "juniper", "Juniper"
    ecs.put(event, "observer.hostname", message.host)
    event["event.category"], event["event.type"] = ["host"], ["info"]
    code = message.msgid or message.text.partition(":")[0]
    if code.replace("_", "").isalnum() and code.isupper():
        event["event.code"], event["event.action"] = code, code.lower()
    values = next((pairs for name, pairs in message.structured.items() if name.startswith("junos@")), {})
    session = _SESSION.search(message.text)
    if session is not None:
        _session(event, session["src"], session["sport"], session["dst"], session["dport"], session["what"])
    elif "source-address" in values:
        ports = values.get("source-port", ""), values.get("destination-port", "")
        _session(event, values["source-address"], ports[0], values.get("destination-address", ""), ports[1], code)
        ecs.put(event, "network.transport", ecs.transport(values.get("protocol-id")))
        ecs.put(event, "rule.name", values.get("policy-name"))
    ecs.network_type(event)
    return True


def _session(event: Event, source: str, source_port: str, destination: str, destination_port: str, what: str) -> None:
    event["observer.type"] = "firewall"
    ecs.put_ip(event, "source", source)
    ecs.put_ip(event, "destination", destination)
    ecs.put_port(event, "source.port", source_port)
    ecs.put_port(event, "destination.port", destination_port)
    put_verdict(event, not what.endswith("DENY"))
