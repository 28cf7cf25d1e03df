"""Pages of tickets and services: what each person sees and can press, forms that are refused, and hostile texts."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.services import service as desk_service
from operations.tickets import service as tickets
from operations.tickets.schema import Draft, Link
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import PERMIT, TRAFFIC, WATER, as_, fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.soc_ui.test_console_escaping import EVIL, _Tags


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("desk"), events=30)
    fill_zones(services, events=80)
    fill_desk(services)
    return services


@pytest.fixture
def duty(app: APIFlask) -> FlaskClient:
    return browser_of(app, "zhao.zhiban")


@pytest.fixture
def water(app: APIFlask) -> FlaskClient:
    return browser_of(app, "shui.wu")


@pytest.fixture
def traffic(app: APIFlask) -> FlaskClient:
    return browser_of(app, "jiao.tong")


def version_of(browser: FlaskClient, path: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(path).text)
    assert found is not None
    return found[1]


def opened(services: Services, **more: Any) -> int:
    who, database = as_(services, "zhao.zhiban")
    with database.write() as session:
        return tickets.create(session, who, Draft(**({"kind": "remediation", "title": "t", "bureau": WATER} | more))).id


def test_the_boxes_and_the_menu_tell_whose_turn_it_is(duty: FlaskClient, water: FlaskClient, traffic: FlaskClient) -> None:
    page = water.get("/tickets").text
    assert "关闭水务控制网工程师站的远程桌面" in page
    assert "路口信号机弱口令整改" not in page
    assert "1 ticket more concerns others." in page
    assert re.search(r'<span>Tickets</span><b class="count[^>]*><span[^>]*>waiting for you </span>2<', page)
    assert "路口信号机弱口令整改" in traffic.get("/tickets").text
    assert re.search(r"To read \d", page)
    assert "关闭水务" not in traffic.get("/tickets").text
    assert re.search(r'<span>Services</span><b class="count[^>]*><span[^>]*>waiting for you </span>2<', duty.get("/tickets").text)


@pytest.mark.parametrize(
    "path", ["/tickets/1", "/tickets/1/attachments/1", "/services/applications/1", "/tickets/999", "/tickets/new?alert=999"]
)
def test_what_concerns_others_is_not_there(traffic: FlaskClient, path: str) -> None:
    assert traffic.get(path).status_code == 404


@pytest.mark.parametrize(
    ("name", "tickets_", "services_"),
    [
        (ADMINISTRATORS["sysadmin"][0], 403, 403),
        (ADMINISTRATORS["secadmin"][0], 403, 200),
        (ADMINISTRATORS["auditadmin"][0], 403, 403),
        ("ling.dao", 200, 200),
    ],
)
def test_pages_by_role(app: APIFlask, name: str, tickets_: int, services_: int) -> None:
    browser = browser_of(app, name)
    assert browser.get("/tickets").status_code == tickets_
    assert browser.get("/services").status_code == services_
    assert browser.get("/tickets/new").status_code == 403
    assert browser.get("/services/quota/apply").status_code == 403


def test_a_ticket_from_an_alert_to_its_end(filled: Services, duty: FlaskClient, water: FlaskClient) -> None:
    assert "/tickets/new?alert=1" in duty.get("/alerts/1").text
    page = duty.get("/tickets/new?alert=1").text
    assert "alert:1" in page
    sent = {"kind": "remediation", "title": "整改", "level": "high", "bureau": WATER, "links": "alert:1 zone:water-ot",
            "zones": "water-ot", "due_at": "2099-05-01T08:30"}  # fmt: skip
    answer = post(duty, "/tickets", sent)
    here = answer.location.split("?")[0]
    assert "2099-05-01 08:30" in duty.get(here).text
    for act, more in (("receipt", {}), ("take", {}), ("finish", {"note": "已整改"})):
        assert post(water, here, {"act": act, "version": version_of(water, here)} | more).status_code == 302
    told = duty.get(here).text
    assert "已整改" in told
    assert "shui.wu" in told
    assert post(duty, here, {"act": "send_back", "note": "仍可访问", "version": version_of(duty, here)}).status_code == 302
    assert "仍可访问" in water.get(here).text
    assert post(water, here, {"act": "take", "version": version_of(water, here)}).status_code == 302
    sent = {"act": "delegate", "assignee": "shui.er", "until": "2026-01-01T00:00", "version": version_of(water, here)}
    assert "A delegation ends within 90 days." in post(water, here, sent).text


def test_somebody_was_quicker(filled: Services, duty: FlaskClient) -> None:
    number = opened(filled)
    sent = {"act": "edit", "version": "1", "title": "甲", "body": "", "level": "low", "until": ""}
    assert post(duty, f"/tickets/{number}", sent).status_code == 302
    answer = post(duty, f"/tickets/{number}", sent | {"title": "乙"})
    assert answer.status_code == 409
    assert "Somebody else changed this in the meantime" in answer.text
    assert ">甲<" in answer.text


def test_without_the_token_of_the_page_nothing_is_done(filled: Services, duty: FlaskClient) -> None:
    number = opened(filled)
    for path in ("/tickets", f"/tickets/{number}", f"/tickets/{number}/comments", f"/tickets/{number}/attachments",
                 "/services/applications/1", "/services/quota/terms"):  # fmt: skip
        assert duty.post(path, data={"act": "close", "note": "x", "title": "x"}).status_code == 400, path


def test_attachments_are_files_never_pages(filled: Services, duty: FlaskClient) -> None:
    number = opened(filled)
    here = f"/tickets/{number}"
    file = (io.BytesIO("端口 3389 开放".encode("gb18030")), "现场记录.html")
    assert post(duty, f"{here}/attachments", {"file": file, "name": ""}).status_code == 302
    link = re.search(rf'href="({here}/attachments/\d+)"', duty.get(here).text)
    assert link is not None
    answer = duty.get(link[1])
    assert answer.text == "端口 3389 开放"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for bad in (b"MZ\x00\x01", b"x" * 70_000, b""):
        answer = post(duty, f"{here}/attachments", {"file": (io.BytesIO(bad), "a.bin")})
        assert answer.status_code == 422
    assert post(duty, f"{here}/attachments", {"name": "../../etc/passwd", "text": "x"}).status_code == 422


def test_apply_accept_issue_and_renew(app: APIFlask, filled: Services, duty: FlaskClient, water: FlaskClient) -> None:
    assert "Apply" in water.get("/services").text
    answer = post(water, "/services/cross-zone-permit/apply", dict(PERMIT) | {"services": "https\nssh"})
    here = answer.location.split("?")[0]
    assert "It permits services that administer machines." in duty.get(here).text
    assert post(duty, here, {"act": "accept", "version": version_of(duty, here)}).status_code == 302
    assert post(duty, here, {"act": "issue", "version": version_of(duty, here)}).status_code == 302
    assert 'value="confirm"' not in duty.get(here).text
    assert post(duty, here, {"act": "confirm", "version": version_of(duty, here)}).status_code == 403
    planner = browser_of(app, ADMINISTRATORS["secadmin"][0])
    assert post(planner, here, {"act": "confirm", "version": version_of(planner, here)}).status_code == 302
    told = water.get(here).text
    assert "/conduits/permit-" in told
    assert "Apply for renewal" in told
    again = post(water, f"{here}/renew", {"days": "60", "reason": "延期"})
    assert again.status_code == 302
    assert "Its renewal has been applied for already." in post(water, f"{here}/renew", {"days": "60", "reason": "延期"}).text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"days": "500"}, "is a whole number from 1 to 180"),
        ({"source": "traffic-iot"}, "one of the two zones has to be yours"),
        ({"target": "water-ot"}, "within a zone no permit is needed"),
        ({"reason": ""}, "Purpose"),
        ({"state": "issued"}, "The form has no field"),
    ],
)
def test_what_a_form_is_refused_for(water: FlaskClient, form: dict[str, str], told: str) -> None:
    answer = post(water, "/services/cross-zone-permit/apply", dict(PERMIT) | form)
    assert answer.status_code == 422
    assert told in answer.text or "is missing" in answer.text
    assert "汛期" in answer.text or "reason" in form  # what was typed is not lost


def test_periods_are_shown_with_where_they_come_from(duty: FlaskClient) -> None:
    assert "to be confirmed" in duty.get("/services").text
    sent = {"accept_hours": "6", "issue_hours": "30", "source": "局务会纪要", "open": "1", "version": "0"}
    assert post(duty, "/services/scan/terms", sent).status_code == 302
    assert "accepted within 6 h, issued within 30 h" in duty.get("/services").text
    assert post(duty, "/services/scan/terms", sent).status_code == 409


def test_hostile_texts_stay_text(app: APIFlask, filled: Services) -> None:
    evil = EVIL[:120]
    number = opened(filled, title=evil, body=EVIL, links=(Link("rule", "\"'><b>x"), Link("asset", "javascript:alert(1)")))
    duty, water = browser_of(app, "zhao.zhiban"), browser_of(app, "shui.wu")
    here = f"/tickets/{number}"
    post(duty, f"{here}/comments", {"note": EVIL})
    post(duty, f"{here}/attachments", {"name": "\"'><img src=x onerror=a>", "text": EVIL})
    post(water, here, {"act": "send_back", "note": EVIL, "version": version_of(water, here)})
    form = {"product": evil, "format": "json", "transport": "tcp", "addresses": "10.60.0.9", "per_day": "5", "reason": EVIL,
            "zone": "water-ot"}  # fmt: skip
    applied = post(water, "/services/log-onboarding/apply", form).location.split("?")[0]
    post(duty, applied, {"act": "reject", "note": EVIL, "version": version_of(duty, applied)})
    refused = post(water, "/services/log-onboarding/apply", form | {"addresses": EVIL})
    assert refused.status_code == 422
    pages = [duty.get(path).text for path in (here, "/tickets", f"/tickets?q={evil}&about=alert:{evil}", applied, "/services")]
    for text in (*pages, refused.text, water.get(here).text):
        tags = _Tags()
        tags.feed(text)
        assert tags.found == []
        assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(\d+)", text)


def test_every_page_says_it_in_chinese(app: APIFlask) -> None:
    browser = browser_of(app, "shui.wu", "zh")
    for path, words in (
        ("/tickets", "待阅"),
        ("/tickets/1", "签收情况"),
        ("/services", "跨区访问许可"),
        ("/services/applications/1", "申请内容"),
    ):
        assert words in browser.get(path).text
    assert "Addressed to" not in browser.get("/tickets").text


def test_filters_stand_in_the_address(duty: FlaskClient) -> None:
    page = duty.get("/tickets?state=to_read&level=critical&bureau=" + TRAFFIC).text
    assert "路口信号机弱口令整改" in page
    assert "关闭水务" not in page
    assert "No ticket matches these filters" in duty.get("/tickets?q=没有这样的工单").text
    assert duty.get("/tickets?cursor=x").status_code == 422


def test_an_empty_desk_says_what_comes_next(tmp_path: Path) -> None:
    browser = browser_of(create_app(fill(tmp_path, events=0)), "lin.mei")
    assert "There is no ticket yet" in browser.get("/tickets").text
    assert "There is no application yet" in browser.get("/services").text


def test_what_the_service_counts_is_what_the_page_shows(filled: Services, duty: FlaskClient) -> None:
    with filled.database.read() as session:
        waiting = sum(desk_service.count_states(session).get(state, 0) for state in ("applied", "accepted", "to_confirm"))
    assert f"Waiting {waiting}" in duty.get("/services").text
