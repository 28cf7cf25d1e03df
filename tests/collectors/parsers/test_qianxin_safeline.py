"""Qianxin SkyEye alarms and Chaitin SafeLine attack events: shapes of the makers' documents with invented values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.parsers import json_records, qianxin, syslog
from kernel.event import Event
from kernel.record import RawRecord

ALARM: dict[str, Any] = {
    "access_time": "2026-11-25T12:00:00.000+0800",
    "attack_sip": "203.0.113.7",
    "alarm_sip": "10.40.0.11",
    "sip": "203.0.113.7",
    "dip": "10.40.0.11",
    "sport": 46742,
    "dport": 8080,
    "hazard_rating": "高危",
    "host_state": "攻击成功",
    "attack_type": "webshell利用",
    "vuln_type": "WebShell 连接",
    "uri": "/u/x.jsp",
    "att_ck": "初始访问:TA0001|利用面向公众的应用程序:T1190",
}
ATTACK: dict[str, Any] = {
    "scheme": "http",
    "src_ip": "2001:db8:bad::7",
    "src_port": 53008,
    "upstream_addr": "10.40.0.11",
    "req_start_time": 1712819316749,
    "host": "portal.lanting.example",
    "method": "GET",
    "query_string": "id=1",
    "event_id": "32be0ce3ba6c44be9ed7e1235f9eebab",
    "req_rule_id": "m_rule/9bf31c7ff062936a96d3c8bd1f8f2ff3",
    "req_rule_module": "m_rule",
    "urlpath": "/portal/item",
    "req_risk_level": "high",
    "req_action": "deny",
    "req_attack_type": "sqli",
}


def parse(text: str) -> Event:
    return syslog.parse(RawRecord("device", "syslog", 0, "", text.encode()))[0]


def alarm(**changes: Any) -> Event:
    told = json.dumps({**ALARM, **changes}, ensure_ascii=False)
    return parse(f"<13>Nov 25 12:00:00 skyeye-01 {qianxin.MARK}{told}")


def attack(**changes: Any) -> Event:
    told = json.dumps({**ATTACK, **changes})
    return parse(f"<30>1 2026-11-25T12:00:00+08:00 55ae65e87e75 /matio/mario 1 safeline_event - {told}")


def test_an_alarm_of_skyeye_tells_attacker_victim_and_outcome() -> None:
    event = alarm()
    assert (event["event.dataset"], event["event.kind"], event["observer.vendor"]) == ("qianxin.skyeye", "alert", "Qianxin")
    assert event["@timestamp"] == "2026-11-25T04:00:00.000000Z"
    assert (event["source.ip"], event["source.port"]) == ("203.0.113.7", 46742)
    assert (event["destination.ip"], event["destination.port"]) == ("10.40.0.11", 8080)
    assert (event["event.severity"], event["event.reason"], event["event.outcome"]) == (4, "攻击成功", "success")
    assert (event["rule.name"], event["rule.category"]) == ("WebShell 连接", "webshell利用")
    assert event["threat.technique.id"] == ["T1190"]
    assert event["qianxin.skyeye.host_state"] == "攻击成功"


def test_where_the_victim_answers_the_attacker_stays_the_source() -> None:
    event = alarm(sip="10.40.0.11", dip="203.0.113.7", sport=8080, dport=46742)
    assert (event["source.ip"], event["destination.ip"]) == ("203.0.113.7", "10.40.0.11")
    assert "source.port" not in event


def test_the_mark_without_an_object_is_an_ordinary_message() -> None:
    event = parse(f"<13>Nov 25 12:00:00 skyeye-01 {qianxin.MARK}not json")
    assert event["event.dataset"] == "linux.syslog"


@pytest.mark.parametrize(("action", "shown"), [("deny", "deny"), ("allow", "permit"), ("log", "permit"), ("redirect", "redirect")])
def test_an_attack_event_of_safeline(action: str, shown: str) -> None:
    event = attack(req_action=action)
    assert (event["event.dataset"], event["event.kind"], event["observer.vendor"]) == ("safeline.waf", "alert", "Chaitin")
    assert event["event.action"] == shown
    assert (event["source.ip"], event["network.type"], event["destination.ip"]) == ("2001:db8:bad::7", "ipv6", "10.40.0.11")
    assert event["url.original"] == "/portal/item?id=1"
    assert (event["rule.category"], event["event.severity"]) == ("sqli", 4)
    assert event["@timestamp"] == "2024-04-11T07:08:36.749000Z"


def test_the_enterprise_editions_names_are_read_too() -> None:
    told = {"event_id": "1", "src_ip": "203.0.113.7", "dest_ip": "10.40.0.11", "dest_port": 80, "module": "m_file_include"}
    told |= {
        "attack_type": "file_inclusion",
        "action": "deny",
        "risk_level": "high",
        "timestamp": 1795600000,
        "urlpath": "/faq.php",
    }
    event = json_records.to_events(told, "{}")[0]
    assert (event["event.dataset"], event["destination.port"], event["event.action"]) == ("safeline.waf", 80, "deny")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted({*ALARM, *ATTACK})), st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
)
def test_any_values_are_read_without_an_error(changes: dict[str, Any]) -> None:
    assert alarm(**changes)["event.original"]
    assert attack(**changes)["event.original"]
