"""Huawei VRP devices (USG firewalls, S/CE switches, AR/NE routers) → ECS.

Shape: ``%%01MODULE/SEVERITY/BRIEF(l)[n]:text`` (Huawei, "Log Reference", section "Log format"). Parameters come as
``key=value`` lists in three spellings: ``source-ip=…, …``, ``SourceIP=…,…`` and ``(Ip=…, UserName=…)``. A stamp without zone is
UTC, the devices' default.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.firewall import put_verdict
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_LOG = re.compile(r"%%01([\w-]+)/(\d)/([\w-]+)(?:\((\w)\))?(?:\[(\d+)\])?\s*:\s*(.*)$", re.DOTALL)
_PAIR = re.compile(r"(?<![\w-])([A-Za-z][\w-]*+(?: [A-Za-z]++)?)\s*+=\s*+(\"[^\"]*\"|[^,;()\]]*)")
_INTERZONE = re.compile(r"interzone-([\w-]+)(?:\([^)]*\))?-([\w-]+)(?:\([^)]*\))? (inbound|outbound)")
_LOGIN_WORDS: Final = {
    "LOGINFAILED": ("login", "failure"),
    "LOGINFAIL": ("login", "failure"),
    "LOGIN_FAIL": ("login", "failure"),
    "AUTHFAIL": ("login", "failure"),
    "LOGIN": ("login", "success"),
    "LOGINSUCCEED": ("login", "success"),
    "LOGIN_SUCC": ("login", "success"),
    "LOGOUT": ("logout", "success"),
    "LOGINSUC": ("login", "success"),
    "SSH_USER_LOGIN": ("login", "success"),
    "SSH_USER_LOGIN_FAIL": ("login", "failure"),
    "USER_LOGIN": ("login", "success"),
    "USER_LOGINFAIL": ("login", "failure"),
}
_NAMES: Final = {
    # spelling of the parameter, lower case without - and _ : ECS field
    "sourceip": "source",
    "srcip": "source",
    "userip": "source",
    "ip": "source",
    "ipaddress": "source",
    "peeripaddress": "source",
    "remoteip": "source",
    "destinationip": "destination",
    "destip": "destination",
    "dstip": "destination",
}
_PORTS: Final = {
    "sourceport": "source.port",
    "srcport": "source.port",
    "destinationport": "destination.port",
    "destport": "destination.port",
    "dstport": "destination.port",
}
_TEXTS: Final = {
    "policy": "rule.id",
    "rulename": "rule.name",
    "policyname": "rule.name",
    "username": "user.name",
    "user": "user.name",
    "application": "network.application",
    "appname": "network.application",
    "sourcezone": "observer.ingress.zone",
    "srczone": "observer.ingress.zone",
    "destinationzone": "observer.egress.zone",
    "dstzone": "observer.egress.zone",
    "command": "process.command_line",
    "signname": "rule.name",
    "signatureid": "rule.id",
}


def fill(event: Event, message: Message) -> bool:
    """Fill the event from a VRP log; False if the text is something else."""
    match = _LOG.search(message.text)
    if match is None:
        return False
    module, severity, brief, _, sequence, text = match.groups()
    event["event.dataset"] = "huawei.usg"
    event["event.module"] = "huawei"
    event["observer.vendor"] = "Huawei"
    event["event.provider"] = module
    event["event.code"] = brief
    event["event.severity"] = int(severity)
    event["event.action"] = brief.lower()
    event["message"] = text
    ecs.put(event, "observer.hostname", message.host)
    ecs.put(event, "@timestamp", message.time(UTC))
    if sequence:
        event["event.sequence"] = int(sequence)
    pairs = {name.strip(): value.strip(' ".') for name, value in _PAIR.findall(text)}
    _parameters(event, pairs)
    _kind(event, module, brief)
    zones = _INTERZONE.search(text)
    if zones is not None:
        event["observer.ingress.zone"], event["observer.egress.zone"] = zones[1], zones[2]
        event["network.direction"] = zones[3]
    ecs.network_type(event)
    return True


def _parameters(event: Event, pairs: dict[str, str]) -> None:
    for name, value in pairs.items():
        event[f"huawei.{name}"] = value
        key = name.lower().replace("-", "").replace("_", "").replace(" ", "")
        if key in _NAMES:
            ecs.put_ip(event, _NAMES[key], value)
        elif key in _PORTS:
            ecs.put_port(event, _PORTS[key], value)
        elif key in _TEXTS:
            ecs.put(event, _TEXTS[key], value)
        elif key == "protocol":
            ecs.put(event, "network.transport", ecs.transport(value))
        elif key == "begintime":
            ecs.put(event, "event.start", clock.epoch(value))
        elif key == "endtime":
            ecs.put(event, "event.end", clock.epoch(value))
        elif key == "accesstype":
            ecs.put(event, "network.protocol", value.lower())


def _kind(event: Event, module: str, brief: str) -> None:
    word = brief.upper()
    if "POLICYPERMIT" in word or "POLICYDENY" in word:
        allowed = "POLICYPERMIT" in word
        event["event.action"] = "permit" if allowed else "deny"
        event["observer.type"], event["observer.product"] = "firewall", "USG"
        put_verdict(event, allowed)
        return
    if module.upper() == "SECLOG" or "SESSION" in word:
        event["observer.type"], event["observer.product"] = "firewall", "USG"
        put_verdict(event, None)
        return
    login = _LOGIN_WORDS.get(word)
    if login is not None:
        action, outcome = login
        event["event.category"] = ["authentication"]
        event["event.type"] = ["start" if action == "login" else "end"]
        event["event.outcome"] = outcome
        return
    if module.upper() in ("IPS", "ATTACK", "AV", "URL", "DDOS", "ANTI-ATTACK", "SECIPS", "SAPP"):
        event["event.category"], event["event.type"] = ["intrusion_detection"], ["info"]
        return
    if module.upper() in ("CLI", "CONFIGURATION", "CM", "CFM", "POLICY") or word in ("CMDRECORD", "CMD", "CONFIGCHANGE", "EVT"):
        event["event.category"], event["event.type"] = ["configuration"], ["change"]
        return
    event["event.category"], event["event.type"] = ["host"], ["info"]
