"""Chinese first, English by a switch, nothing left out."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from cli.ruleset import _zone_info
from detectors.zones import RULES as ZONE_RULES
from kernel.detection import Detection, MatchedField
from operations.alerts import service as alerts
from soc_ui.app import create_app
from soc_ui.services import RuleCatalogue, SourceHealth
from tests.soc_ui.conftest import log_in
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_zones import fill_zones

UI = Path(__file__).resolve().parents[2] / "soc_ui"
CATALOGUE = UI / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def _used() -> set[str]:
    found = extract_from_dir(str(UI), METHODS, keywords={"_": None, "gettext": None, "ngettext": (1, 2)})
    return {message[2][0] if isinstance(message[2], tuple) else message[2] for message in found}


def _key(name: object) -> str:
    """The singular, whichever way a reader of catalogues gives plurals."""
    return str(name[0]) if isinstance(name, (tuple, list)) else str(name)


def test_every_text_has_a_chinese_one_with_the_same_places() -> None:
    with (CATALOGUE / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    translated = {
        (m.id[0] if isinstance(m.id, tuple) else m.id): (m.string[0] if isinstance(m.string, tuple) else m.string)
        for m in catalogue
        if m.id
    }
    used = _used()
    assert used - set(translated) == set()
    assert set(translated) - used == set()
    for english, chinese in translated.items():
        assert chinese.strip(), english
        assert sorted(re.findall(r"%\(\w+\)\w", english)) == sorted(re.findall(r"%\(\w+\)\w", chinese)), english


def test_the_compiled_catalogue_is_that_of_the_text_file() -> None:
    with (CATALOGUE / "messages.po").open("rb") as text, (CATALOGUE / "messages.mo").open("rb") as compiled:
        ours, shipped = read_po(text, locale="zh_Hans_CN"), read_mo(compiled)
    assert {_key(m.id): list(m.string) for m in shipped if m.id} == {_key(m.id): list(m.string) for m in ours if m.id}


def test_without_a_choice_pages_are_chinese(anonymous: FlaskClient) -> None:
    log_in(anonymous)
    text = anonymous.get("/").text
    assert '<html lang="zh-CN"' in text
    assert "总览" in text
    assert "Overview" not in text


def test_the_switch_keeps_the_page_with_its_filters(client: FlaskClient) -> None:
    page = client.get("/alerts?status=new&level=high").text
    link = re.search(r'href="(/preferences\?[^"]*lang=zh)"', page)
    assert link is not None
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.location == "/alerts?status=new&level=high"
    assert "新告警" in client.get(answer.location).text


@pytest.mark.parametrize(("name", "value"), [("theme", "dark"), ("density", "comfortable"), ("rail", "narrow")])
def test_the_look_is_kept_and_rendered_by_the_server(client: FlaskClient, name: str, value: str) -> None:
    client.get(f"/preferences?{name}={value}&next=/rules")
    assert f'data-{name}="{value}"' in client.get("/rules").text
    client.get(f"/preferences?{name}=rubbish&next=/rules")
    assert f'data-{name}="{value}"' in client.get("/rules").text


def test_what_programs_call_in_english_has_a_chinese_name(tmp_path: Path) -> None:
    services = fill(tmp_path, events=40)
    fill_zones(services, events=400)
    kinds = {"syslog TCP": "syslog TCP", "pcap folder": "pcap 目录", "file (json)": "文件 (json)", "audit trail": "审计日志"}
    sources = [SourceHealth(f"s{number}", kind) for number, kind in enumerate(kinds)]
    browser = create_app(replace(services, health=lambda: sources)).test_client()
    log_in(browser)
    told = browser.get("/sources").text
    assert all(f"<td>{name}</td>" in told for name in kinds.values())
    browser.get("/hunt?last=all")
    log_in(browser, ADMINISTRATORS["auditadmin"][0])
    trail = browser.get("/audit").text
    assert re.search(r'title="events">事件</a>', trail)
    assert re.search(r'title="zone[^"]*">区域', trail)
    assert "事件数" not in trail
    log_in(browser)
    devices = browser.get("/assets").text
    assert "控制器（PLC）" in devices
    assert ">plc<" not in devices


@pytest.mark.parametrize("rule_id", sorted(ZONE_RULES))
def test_rules_of_the_zone_plan_speak_chinese(tmp_path: Path, rule_id: str) -> None:
    services = fill(tmp_path, events=0)
    catalogue = RuleCatalogue([_zone_info(ZONE_RULES[rule_id])])
    moment = "2026-11-23T04:00:00.000000Z"
    event = {"@timestamp": moment, "event.id": "e", "source.ip": "10.1.1.1"}
    rule = ZONE_RULES[rule_id]
    found = Detection(
        id="d", rule_id=rule_id, rule_name=rule.name, level=rule.level, engine="zone", time=moment, event_ids=["e"], event=event,
        matched=[MatchedField("source.ip", "10.1.1.1", selection="zone plan")], falsepositives=list(rule.falsepositives),
    )  # fmt: skip
    with services.database.write() as session:
        alerts.record_detections(session, [found])
    browser = create_app(replace(services, rules=lambda: catalogue)).test_client()
    log_in(browser)
    told = html.unescape(browser.get("/alerts/1").text)
    assert all(text in told for text in (rule.name_zh, *rule.falsepositives_zh, "区域规划", "按区域规划判断"))
    assert not any(text in told for text in (rule.name, *rule.falsepositives, "zone plan", "judges every crossing"))
    browser.set_cookie("lang", "en")
    told = html.unescape(browser.get("/alerts/1").text)
    assert all(text in told for text in (rule.name, *rule.falsepositives, "zone plan", "judges every crossing"))
