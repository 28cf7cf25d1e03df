"""The on-site forms behind the console: who may, what is told, and that nothing hostile gets through."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import WATER, fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.soc_ui.test_compliance_pages import EVIL, made, post

SITE = "8.1.1.1.a"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("onsite"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["secadmin"][0])


def answer(number: int, **more: object) -> dict[str, object]:
    said = {
        "key": f"key-of-answer-{number:04}",
        "item": SITE,
        "object": 0,
        "version": 0,
        "verdict": "met",
        "reason": "看过",
        "at": "",
    }
    return said | more


def send(browser: FlaskClient, address: str, answers: Any, token: str | None = None) -> Any:
    headers = {"X-CSRFToken": token_of(browser, "/account") if token is None else token}
    return browser.post(f"{address}/onsite", json=answers, headers=headers)


def test_the_service_worker_is_this_release_and_for_who_fills_in_forms(
    sec: FlaskClient, app: APIFlask, filled: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = sec.get("/compliance/onsite-worker.js")
    assert (told.status_code, told.mimetype) == (200, "text/javascript")
    assert told.headers["Cache-Control"] == "no-store"
    assert "connect-src 'self'" in told.headers["Content-Security-Policy"]
    version = re.match(r'const VERSION = "([0-9a-f]{16})", WHO = "[0-9]+";\n', told.text)
    assert version is not None
    assert sec.get("/compliance/onsite-worker.js").text == told.text
    monkeypatch.setattr(filled, "version", "9.9.9")
    assert version[0] not in sec.get("/compliance/onsite-worker.js").text
    assert app.test_client().get("/compliance/onsite-worker.js").status_code == 302
    assert "js/onsite-gone.js" in app.test_client().get("/login").text


def test_answers_are_recorded_and_told_one_by_one(sec: FlaskClient) -> None:
    address = made(sec, "现场系统", organisation=WATER)
    page = sec.get(f"{address}/onsite").text
    assert f"{address}/onsite" in sec.get(address).text
    assert page.count('class="onsite-question"') == 71
    assert sec.get(f"{address}/onsite?assisted=1").text.count('class="onsite-question"') == 137
    told = send(sec, address, [answer(1), answer(2), answer(3, reason="")]).json
    assert [one["state"] for one in told] == ["recorded", "conflict", "refused"]
    assert told[1]["now"]["reason"] == "看过"
    assert told[1]["now"]["verdict"] == "Compliant"
    assert send(sec, address, [answer(1)]).json[0]["state"] == "recorded"
    assert "看过" in sec.get(f"{address}/controls/{SITE}").text


def test_only_who_may_write_and_only_from_our_page(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "权限系统", organisation=WATER)
    leader, water = browser_of(app, "zhao.zhiban"), browser_of(app, "shui.wu")
    for browser in (leader, water):
        assert browser.get(f"{address}/onsite").status_code == 403
        assert send(browser, address, [answer(1)]).status_code == 403
        assert f"{address}/onsite" not in browser.get(address).text
    assert send(sec, address, [answer(1)], token="0" * 64).status_code in (400, 403)
    assert app.test_client().post(f"{address}/onsite", json=[answer(1)], headers={"HX-Request": "true"}).status_code in (
        400,
        401,
        403,
    )
    assert sec.get("/compliance/999/onsite").status_code == 404
    assert send(sec, "/compliance/999", [answer(1)]).status_code == 404


def test_what_cannot_be_read_is_refused_and_texts_stay_texts(sec: FlaskClient) -> None:
    address = made(sec, EVIL)
    post(sec, f"{address}/objects", {"kind": "room", "name": EVIL})
    page = sec.get(f"{address}/onsite").text
    assert "<script>alert" not in page
    assert not re.search(r"<script(?![^>]* src=)", page), "no inline script"
    for wrong in ({}, [{}], [answer(1) | {"more": 1}], [answer(1, object="x")], [answer(n) for n in range(101)], "x"):
        found = send(sec, address, wrong)
        assert (found.status_code, "problem" in found.json) == (422, True), wrong
    assert send(sec, address, [answer(1, reason="x" * 2_000_000)]).status_code in (413, 422)
    small = made(sec, "二级", level="S2A2")
    assert sec.get(f"{small}/onsite").status_code == 422


def test_chinese(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "中文现场")
    page = browser_of(app, ADMINISTRATORS["secadmin"][0], lang="zh").get(f"{address}/onsite").text
    for word in ("访谈与现场核查表", "无网络：答案保存在本设备。", "机房", "改为记录我的答案"):
        assert word in page, word
