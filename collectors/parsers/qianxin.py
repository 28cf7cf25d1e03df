"""Qianxin SkyEye (奇安信天眼) alarms by syslog → ECS: ``…|!alarm|!{JSON}``; originals under ``qianxin.skyeye.<name>``.

Field names as public integrations of the product read them: ``attack_sip`` and ``alarm_sip`` are attacker and victim, ``sip`` and
``dip`` the ends of the connection, ``host_state`` what became of it (企图 tried, 攻击成功 succeeded, 失陷 fallen),
``hazard_rating`` runs from 低危 to 危急.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.syslog_header import Message
from kernel.event import Event

MARK: Final = "|!alarm|!"
_SEVERITIES: Final = {"低危": 2, "中危": 3, "高危": 4, "危急": 5}
_OUTCOMES: Final = {"企图": "unknown", "攻击失败": "failure", "失败": "failure"}
_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")


def fill(event: Event, message: Message) -> bool:
    """Fill the event from an alarm; False if no JSON object follows the mark."""
    try:
        alarm = orjson.loads(message.text.partition(MARK)[2])
    except orjson.JSONDecodeError:
        return False
    if not isinstance(alarm, dict):
        return False
    event["event.kind"], event["event.dataset"], event["event.module"] = "alert", "qianxin.skyeye", "qianxin"
    event["observer.vendor"], event["observer.product"], event["observer.type"] = "Qianxin", "SkyEye", "ids"
    event["event.category"], event["event.type"] = ["intrusion_detection"], ["info"]
    ecs.put(event, "@timestamp", clock.local(str(alarm.get("access_time", ""))) or message.time())
    ecs.put_ip(event, "source", alarm.get("attack_sip") or alarm.get("sip"))
    ecs.put_ip(event, "destination", alarm.get("alarm_sip") or alarm.get("dip"))
    if alarm.get("attack_sip") in (None, "", alarm.get("sip")):  # ports belong to the connection; an answer has them the other way
        ecs.put_port(event, "source.port", alarm.get("sport"))
        ecs.put_port(event, "destination.port", alarm.get("dport"))
    _alarm(event, alarm)
    for name, value in alarm.items():
        if isinstance(value, (str, int, float)):
            ecs.put(event, f"qianxin.skyeye.{name}", value)
    ecs.network_type(event)
    return True


def _alarm(event: Event, alarm: dict[str, Any]) -> None:
    ecs.put(event, "rule.name", alarm.get("vuln_type") or alarm.get("rule_desc"))
    ecs.put(event, "rule.category", alarm.get("attack_type") or alarm.get("type"))
    ecs.put(event, "event.severity", _SEVERITIES.get(str(alarm.get("hazard_rating"))))
    ecs.put(event, "event.reason", alarm.get("host_state"))
    ecs.put(event, "event.outcome", _OUTCOMES.get(str(alarm.get("host_state")), "success" if alarm.get("host_state") else None))
    ecs.put(event, "url.domain", alarm.get("host"))
    ecs.put(event, "url.original", alarm.get("uri"))
    ecs.put(event, "http.request.method", alarm.get("method"))
    ecs.put(event, "file.name", alarm.get("file_name"))
    ecs.put(event, "file.hash.md5", alarm.get("file_md5"))
    techniques = _TECHNIQUE.findall(str(alarm.get("att_ck", "")))
    if techniques:
        event["threat.technique.id"] = techniques
