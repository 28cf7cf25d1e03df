"""Pages and API of the improvement register: the way of an entry, foreign eyes, hostile texts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_desk import WATER, fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("improve"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture
def duty(app: APIFlask) -> FlaskClient:
    return browser_of(app, "zhao.zhiban")


def made(browser: FlaskClient, title: str = "日志留存", **more: str) -> str:
    answer = post(browser, "/improvements", {"title": title, "source": "audit", **more})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"].partition("?")[0])


def act(browser: FlaskClient, address: str, name: str, note: str = "x") -> Any:
    found = re.search(r'name="version" value="(\d+)"', browser.get(address).text)
    return post(browser, address, {"act": name, "note": note, "version": found[1] if found else "1"})


def test_operator_and_bureau_work_on_one_entry(duty: FlaskClient, app: APIFlask) -> None:
    address = made(duty, organisation=WATER, due_at="2026-01-01T08:00")
    water, traffic = browser_of(app, "shui.wu"), browser_of(app, "jiao.tong")
    assert traffic.get(address).status_code == 404
    assert act(traffic, address, "start").status_code == 404
    assert act(duty, address, "accept").status_code == 302
    assert act(water, address, "finish", "改为 180 天").status_code == 302
    assert act(water, address, "verify").status_code in (403, 409)  # no form is shown, so no version is sent
    assert act(duty, address, "verify", "属实").status_code == 302
    page = duty.get(address).text
    assert "改为 180 天" in page
    assert "Effective" in page
    assert address in duty.get("/improvements?state=verified&q=留存").text
    assert address not in duty.get("/improvements?state=declined").text


def test_hostile_texts_and_wrong_forms(duty: FlaskClient) -> None:
    address = made(duty, title=EVIL, body=EVIL, responsible="<b>x")
    for path in (address, "/improvements"):
        assert "<script>alert" not in duty.get(path).text
    for form in ({"title": ""}, {"title": "x" * 201}, {"title": "x", "due_at": "never"}, {"title": "x", "organisation": "nobody"}):
        assert post(duty, "/improvements", {"source": "audit", **form}).status_code == 422
    assert post(duty, address, {"act": "accept", "version": "99"}).status_code == 409
    assert act(duty, address, "nonsense").status_code == 422


def test_the_api_does_the_same(duty: FlaskClient, app: APIFlask) -> None:
    headers = {"X-CSRFToken": token_of(duty, "/account")}
    answer = duty.post("/api/v1/improvements", json={"title": "by api"}, headers=headers)
    assert answer.status_code == 201
    number, etag = answer.get_json()["id"], answer.headers["ETag"]
    url = f"/api/v1/improvements/{number}"
    assert duty.post(f"{url}/acts", json={"act": "accept"}, headers=headers).status_code == 428
    assert duty.post(f"{url}/acts", json={"act": "accept"}, headers={**headers, "If-Match": etag}).status_code == 200
    assert duty.post(f"{url}/acts", json={"act": "accept"}, headers={**headers, "If-Match": etag}).status_code == 412
    assert duty.get(url).get_json()["acts"] == ["decline", "start", "finish"]
    assert duty.get("/api/v1/improvements?state=accepted").get_json()["improvements"][0]["id"] == number
    assert duty.post("/api/v1/improvements", json={"title": "x", "state": "verified"}, headers=headers).status_code == 422
    assert browser_of(app, "shui.wu").get(url).status_code == 404


@pytest.mark.parametrize("number", [10**30, -1, None, "x"])
def test_an_action_that_cannot_be_is_refused_by_the_api(duty: FlaskClient, number: Any) -> None:
    headers = {"X-CSRFToken": token_of(duty, "/account")}
    answer = duty.post("/api/v1/improvements/from-review", json={"incident": number, "action": 1}, headers=headers)
    assert answer.status_code == 422
