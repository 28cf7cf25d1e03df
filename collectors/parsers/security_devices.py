"""Chinese security devices with one-line logs → ECS: Sangfor AF (深信服), Venustech IDS (启明星辰), QZSEC bastion (齐治)."""

from __future__ import annotations

import re
from typing import Any, Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

_DENIED: Final = frozenset({"拒绝", "阻断", "丢弃", "deny", "drop", "block"})
_SEVERITIES: Final = {"信息": 1, "低": 2, "中": 3, "高": 4, "严重": 5, "致命": 5}
_BASTION = re.compile(r"(?<!\S)(?:([\w.-]{1,64}+):)?(\w{1,32}+)\((\w{1,32}+)\)\((.*)\)\s*$", re.DOTALL)
_BASTION_PAIR = re.compile(r"(\w+)=((?:[^,()]|\([^)]*\))*)(?:,|$)")
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")


def sangfor(event: Event, message: Message) -> None:
    """``fwlog: 日志类型:IPS防护日志, 源IP:…, 目的IP:…, 攻击类型:…, 动作:拒绝`` (the WAF form names some keys differently)."""
    pairs = _sangfor_pairs(message.text)
    event["event.dataset"] = "sangfor.af"
    event["event.module"] = "sangfor"
    event["observer.vendor"], event["observer.product"], event["observer.type"] = "Sangfor", "AF", "firewall"
    event["message"] = message.text
    ecs.put_ip(event, "source", pairs.get("源IP"))
    ecs.put_ip(event, "destination", pairs.get("目的IP"))
    ecs.put_port(event, "source.port", pairs.get("源端口"))
    ecs.put_port(event, "destination.port", pairs.get("目的端口"))
    ecs.put(event, "network.transport", ecs.transport(pairs.get("协议", "")))
    ecs.put(event, "rule.category", pairs.get("攻击类型"))
    ecs.put(event, "rule.name", pairs.get("漏洞名称") or pairs.get("规则名称") or pairs.get("攻击类型"))
    ecs.put(event, "vulnerability.description", pairs.get("漏洞名称"))
    ecs.put(event, "url.original", pairs.get("URL"))
    ecs.put(event, "user.name", pairs.get("用户"))
    ecs.put(event, "event.severity", _SEVERITIES.get(pairs.get("严重等级") or pairs.get("严重级别") or ""))
    action = pairs.get("动作") or pairs.get("系统动作")
    if action:
        event["event.action"] = "deny" if action in _DENIED else "permit"
    denied = action is not None and action in _DENIED
    event["event.category"] = ["intrusion_detection", "network"]
    event["event.type"] = ["denied"] if denied else ["info"]
    for name, value in pairs.items():
        ecs.put(event, f"sangfor.{name}", value)
    ecs.network_type(event)


def _sangfor_pairs(text: str) -> dict[str, str]:
    """``key:value, key:value``; a part without a colon belongs to the value before it."""
    pairs: dict[str, str] = {}
    last = ""
    for part in text.replace("：", ":").split(","):
        name, colon, value = part.strip().partition(":")
        if colon and name and " " not in name:
            last = name.strip()
            pairs[last] = value.strip()
        elif last:
            pairs[last] += f",{part}"
    return pairs


def venustech(event: Event, alert: dict[str, Any]) -> None:
    """Venustech IDS: a JSON object whose ``dt`` starts with ``VENUS_``; time in milliseconds."""
    event["event.dataset"] = "venustech.ids"
    event["event.module"] = "venustech"
    event["observer.vendor"], event["observer.type"] = "Venustech", "ids"
    event["event.category"], event["event.type"] = ["intrusion_detection"], ["info"]
    ecs.put(event, "@timestamp", clock.epoch(alert.get("time")))
    ecs.put(event, "event.severity", ecs.as_int(alert.get("level")))
    ecs.put(event, "rule.id", alert.get("id"))
    ecs.put(event, "rule.name", alert.get("subject"))
    ecs.put(event, "message", alert.get("message"))
    ecs.put(event, "network.transport", ecs.transport(alert.get("protocol")))
    for side in ("source", "destination"):
        end = alert.get(side)
        if isinstance(end, dict):
            ecs.put_ip(event, side, end.get("ip"))
            ecs.put_port(event, f"{side}.port", end.get("port"))
            ecs.put(event, f"{side}.mac", ecs.mac(str(end.get("mac", ""))))
    ecs.network_type(event)


def bastion(event: Event, message: Message) -> bool:
    """QZSEC bastion host: ``node1:cmd(NOTICE)(id=…,server=Centos(192.0.2.9),account=root,identity=ops(ops),from=…,command=…)``."""
    match = _BASTION.search(message.text)
    if match is None:
        return False
    node, kind, level, body = match.groups()
    head, has_command, command = body.partition("command=")
    pairs = dict(_BASTION_PAIR.findall(head))
    if "identity" not in pairs and "from" not in pairs:
        return False
    event["event.dataset"] = "qzsec.bastion"
    event["event.module"] = "qzsec"
    event["observer.vendor"], event["observer.type"], event["observer.name"] = "QZSEC", "bastion", node or message.app
    event["log.level"] = level.lower()
    event["event.action"] = kind
    event["event.category"] = ["process"] if has_command else ["session"]
    event["event.type"] = ["start"]
    server = pairs.get("server", "")
    address = _IN_PARENTHESES.search(server)
    ecs.put_ip(event, "source", pairs.get("from"))
    ecs.put_ip(event, "destination", address[1] if address else server)
    ecs.put(event, "user.name", pairs.get("identity", "").split("(", 1)[0])
    ecs.put(event, "user.effective.name", pairs.get("account"))
    ecs.put(event, "process.command_line", command if has_command else None)
    ecs.put(event, "event.reason", pairs.get("action"))
    ecs.network_type(event)
    return True
