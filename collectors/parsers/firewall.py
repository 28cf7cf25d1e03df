"""Packet-filter log lines → ECS: Linux netfilter (iptables, UFW, UniFi), pfSense/OPNsense filterlog, DPtech policy.

Netfilter's ``KEY=VALUE`` words: Linux net/netfilter/nf_log_syslog.c. filterlog's columns: Netgate, "Raw Filter Log Format".
"""

from __future__ import annotations

import re

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_NETFILTER = re.compile(r"\bIN=\S* OUT=\S* .*\bSRC=\S+ DST=\S+")
_WORD = re.compile(r"\b([A-Z]{2,8})=(\S*)")
_DENY = re.compile(r"\b(?:BLOCK|DROP|DENY|DENIED|REJECT|REFUSE)|-[DR]-\d+\]", re.IGNORECASE)
_ALLOW = re.compile(r"\b(?:ALLOW|ACCEPT|PERMIT|PASS)|-A-\d+\]", re.IGNORECASE)
_DPTECH_HEAD = re.compile(r"([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}) (\S+) \d+ POLICY:")
_DPTECH = re.compile(r"POLICY:(\w+) (\d+)\|([^|]+)\|(\d*)\|([^|]+)\|(\d*)\|([^|]*)\|([^|\s]*)")


def looks_like_netfilter(text: str) -> bool:
    """True for a netfilter LOG line."""
    return "SRC=" in text and _NETFILTER.search(text) is not None


def put_verdict(event: Event, allowed: bool | None) -> None:
    """``event.category`` network with type allowed or denied; None = the line does not say.

    ``firewall.action`` has the word (accept, deny) that rules ask for, whatever the vendor calls it.
    """
    event["event.category"] = ["network"]
    event["event.type"] = ["connection"] if allowed is None else ["connection", "allowed" if allowed else "denied"]
    if allowed is not None:
        event["event.outcome"] = "success" if allowed else "failure"
        event["firewall.action"] = "accept" if allowed else "deny"


def netfilter(event: Event, message: Message) -> None:
    """``[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=… DST=… PROTO=TCP SPT=… DPT=…``."""
    text = message.text
    prefix, _, rest = text.partition("IN=")
    words: dict[str, str] = {}
    for name, value in _WORD.findall(f"IN={rest}"):
        words.setdefault(name, value)
    event["event.dataset"] = "firewall.traffic"
    ecs.put_ip(event, "source", words.get("SRC"))
    ecs.put_ip(event, "destination", words.get("DST"))
    ecs.put_port(event, "source.port", words.get("SPT"))
    ecs.put_port(event, "destination.port", words.get("DPT"))
    ecs.put(event, "network.transport", ecs.transport(words.get("PROTO")))
    ecs.put(event, "network.bytes", ecs.as_int(words.get("LEN")))
    ecs.put(event, "observer.ingress.interface.name", words.get("IN"))
    ecs.put(event, "observer.egress.interface.name", words.get("OUT"))
    octets = words.get("MAC", "").split(":")
    if len(octets) >= 12:
        event["destination.mac"] = "-".join(octets[:6]).upper()
        event["source.mac"] = "-".join(octets[6:12]).upper()
    label = re.sub(r"^\[ *\d+\.\d+\] *", "", prefix).strip(" :")
    ecs.put(event, "rule.name", label)
    denied, allowed = _DENY.search(prefix), _ALLOW.search(prefix)
    put_verdict(event, None if denied is None and allowed is None else denied is None)
    if denied is not None or allowed is not None:
        event["event.action"] = "deny" if denied is not None else "permit"
    ecs.network_type(event)


def filterlog(event: Event, message: Message) -> bool:
    """pfSense's comma-separated line; False if it has too few columns."""
    columns = message.text.split(",")
    if len(columns) < 20 or columns[8] not in ("4", "6"):
        return False
    ipv4 = columns[8] == "4"
    transport, start = (columns[16], 18) if ipv4 else (columns[12], 15)
    if len(columns) < start + 2:
        return False
    event["event.dataset"] = "firewall.traffic"
    event["event.action"] = {"pass": "permit", "block": "deny"}.get(columns[6], columns[6])
    ecs.put(event, "rule.id", columns[3] or columns[0])
    ecs.put(event, "event.reason", columns[5])
    ecs.put(event, "network.direction", {"in": "ingress", "out": "egress"}.get(columns[7]))
    ecs.put(event, "observer.ingress.interface.name" if columns[7] == "in" else "observer.egress.interface.name", columns[4])
    ecs.put(event, "network.transport", ecs.transport(transport.lower()))
    ecs.put_ip(event, "source", columns[start])
    ecs.put_ip(event, "destination", columns[start + 1])
    if transport.lower() in ("tcp", "udp") and len(columns) > start + 3:
        ecs.put_port(event, "source.port", columns[start + 2])
        ecs.put_port(event, "destination.port", columns[start + 3])
    put_verdict(event, columns[6] == "pass")
    ecs.network_type(event)
    return True


def dptech(event: Event, message: Message) -> bool:
    """DPtech ``POLICY:Deny 17|source|port|destination|port|in|out``; False if the text is something else.

    Before it stand an address, the moment and the device's name, in an order that no syslog standard has.
    """
    match = _DPTECH.search(message.text)
    if match is None:
        return False
    verdict, protocol, source, source_port, destination, destination_port, inside, outside = match.groups()
    allowed = verdict.lower() in ("allow", "permit", "pass", "accept")
    event["event.dataset"] = "firewall.traffic"
    event["observer.vendor"], event["observer.type"] = "DPtech", "firewall"
    head = _DPTECH_HEAD.search(message.text)
    if head is not None:
        ecs.put(event, "@timestamp", clock.bsd(head[1], message.received))
        event["host.name"] = event["observer.hostname"] = head[2]
    event["event.action"] = "permit" if allowed else "deny"
    ecs.put(event, "network.transport", ecs.transport(protocol))
    ecs.put_ip(event, "source", source)
    ecs.put_ip(event, "destination", destination)
    ecs.put_port(event, "source.port", source_port)
    ecs.put_port(event, "destination.port", destination_port)
    ecs.put(event, "observer.ingress.interface.name", inside)
    ecs.put(event, "observer.egress.interface.name", outside)
    put_verdict(event, allowed)
    ecs.network_type(event)
    return True
