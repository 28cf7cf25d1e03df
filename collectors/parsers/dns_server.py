"""DNS server query logs (BIND named, dnsmasq, unbound) → ECS."""

from __future__ import annotations

import re
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_BIND = re.compile(
    r"client (?:@0x[0-9a-f]+ )?([0-9A-Fa-f:.]+)#(\d+)(?: \([^)]*\))?: (?:view \S+: )?"
    r"(?:query(?: \(cache\))?:? '?([^\s'/]+)[/ ](?:IN )?(\w+)(?:/IN)?'?|zone transfer '([^'/]+)/(\w+)/IN')(.*)$"
)
_BIND_STAMP = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d:\d\d:\d\d(?:\.\d{3})?) ")
_DNSMASQ = re.compile(r"query\[(\w+)\] (\S+) from ([0-9A-Fa-f:.]+)$")
_UNBOUND = re.compile(r"info: ([0-9A-Fa-f:.]+) (\S+)\.? ([A-Z]+) IN")
PROGRAMS: Final = frozenset({"named", "dnsmasq", "unbound"})


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a query line; False if the text is something else."""
    text = message.text
    bind = _BIND.search(text)
    if bind is not None:
        client, port, name, kind, zone, transfer, rest = bind.groups()
        _put(event, client, name or zone, kind or transfer)
        stamp = _BIND_STAMP.match(text)
        if stamp is not None and not message.stamp:
            ecs.put(event, "@timestamp", clock.bsd(f"{stamp[2]} {stamp[1]} {stamp[3]} {stamp[4]}", 0))
        ecs.put_port(event, "source.port", port)
        if "denied" in rest:
            event["event.type"], event["event.outcome"] = ["protocol", "denied"], "failure"
            event["dns.response_code"] = "REFUSED"
        if zone:
            event["event.action"] = "zone_transfer"
        return True
    dnsmasq, unbound = _DNSMASQ.search(text), _UNBOUND.search(text)
    if dnsmasq is not None:
        _put(event, dnsmasq[3], dnsmasq[2], dnsmasq[1])
    elif unbound is not None:
        _put(event, unbound[1], unbound[2].rstrip("."), unbound[3])
    return dnsmasq is not None or unbound is not None


def _put(event: Event, client: str, name: str, kind: str) -> None:
    event["event.dataset"] = "dns.query"
    event["event.category"], event["event.type"] = ["network"], ["protocol"]
    event["event.action"] = "dns_query"
    event["network.protocol"] = "dns"
    ecs.put_ip(event, "source", client)
    ecs.put(event, "dns.question.name", name)
    ecs.put(event, "dns.question.type", kind)
    ecs.network_type(event)
