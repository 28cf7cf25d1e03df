"""Suppressions in the console and the API: from an alert to a calm queue, and who may do what."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones

API = "/api/v1/suppressions"
RULE = "5ef9853e-4d0e-4a70-846f-a9ca37d876da"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    services = fill(tmp_path_factory.mktemp("suppressions"), events=60)
    fill_zones(services, events=600)
    create_user(services.database, SYSTEM, "water.analyst", PASSWORD, "analyst", reach=Reach(zones=("water-ot",)))
    return create_app(services)


def later(days: float) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def ask(browser: FlaskClient, method: str, path: str, body: Any = None, match: str = "") -> Any:
    headers = {"X-CSRFToken": token_of(browser, "/account")} | ({"If-Match": match} if match else {})
    return browser.open(API + path, method=method, json=body, headers=headers)


def test_from_an_alert_to_a_suppression_and_back(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    alert = re.findall(r'<tr data-id="(\d+)"', browser.get(f"/alerts?rule={RULE}").text)[0]
    form = browser.get(f"/alerts/suppressions/new?alert={alert}").text
    assert f'value="{RULE}"' in form
    assert "alerts would have stayed out of the queue" in form
    wanted = {"rule": RULE, "alert": alert, "more": "host:web1\nip:192.0.2.7", "until": later(3), "reason": "<b>nightly</b> scan"}
    preview = post(browser, "/alerts/suppressions", wanted | {"act": "preview"})
    assert (preview.status_code, "<b>0</b> alerts would" in preview.text) == (200, True)
    assert browser.get("/alerts/suppressions").text.count('<tr data-id="') == 0  # a preview makes nothing
    made = post(browser, "/alerts/suppressions", wanted)
    assert made.status_code == 302
    listed = browser.get(made.location).text
    assert "host:web1" in listed
    assert "&lt;b&gt;nightly&lt;/b&gt; scan" in listed
    number = re.findall(r'<tr data-id="(\d+)"', listed)[0]
    assert post(browser, f"/alerts/suppressions/{number}/lift", {"version": "9"}).status_code == 409
    assert post(browser, f"/alerts/suppressions/{number}/lift", {"version": "1"}).status_code == 302
    assert f"lifted by {USER}" in browser.get("/alerts/suppressions?state=ended").text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reason": ""}, "Reason is missing"),
        ({"until": later(91)}, "within 90 days"),
        ({"until": "soon"}, "is no moment"),
        ({"until": later(-1)}, "passed"),
        ({"rule": "unheard-of"}, "There is no such rule"),
        ({"more": "colour:red"}, "is no entity"),
    ],
)
def test_a_wrong_form_says_why_and_keeps_what_was_typed(app: APIFlask, changed: dict[str, str], words: str) -> None:
    browser = browser_of(app, USER)
    typed = {"rule": RULE, "more": "host:kept", "until": later(3), "reason": "kept reason"} | changed
    answer = post(browser, "/alerts/suppressions", typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert "kept" in answer.text


def test_api(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    match = {"rule_id": RULE, "entities": ["host:web9"]}
    assert ask(browser, "POST", "/preview", match).json["total"] == 0
    body = match | {"until": later(1), "reason": "test"}
    made = ask(browser, "POST", "", body)
    assert (made.status_code, made.headers["ETag"], made.json["entities"]) == (201, '"1"', [["host", "web9"]])
    path = f"/{made.json['id']}"
    assert ask(browser, "GET", path).json["state"] == "active"
    assert ask(browser, "POST", "", body | {"colour": 1}).status_code == 422
    assert ask(browser, "POST", "", body | {"reason": ""}).status_code == 422
    assert ask(browser, "POST", "", body | {"entities": ["nonsense"]}).status_code == 422
    assert ask(browser, "POST", path + "/lift").status_code == 428
    assert ask(browser, "POST", path + "/lift", match='"7"').status_code == 412
    assert ask(browser, "POST", path + "/lift", match='"1"').json["lifted_by"] == USER
    assert ask(browser, "POST", path + "/lift", match="*").status_code == 409
    page = ask(browser, "GET", "?limit=1&sort=until&order=up").json
    assert len(page["suppressions"]) == 1
    assert ask(browser, "GET", "?sort=colour").status_code == 422


def test_the_security_administrator_releases_and_sees_no_alert(app: APIFlask) -> None:
    analyst, secadmin = browser_of(app, USER), browser_of(app, ADMINISTRATORS["secadmin"][0])
    body = {"rule_id": RULE, "until": later(1), "reason": "maintenance", "critical_ot": True, "entities": ["zone:water-ot"]}
    number = ask(analyst, "POST", "", body).json["id"]
    assert ask(analyst, "POST", f"/{number}/release", {"agreed": True}, '"1"').status_code == 403
    page = secadmin.get("/alerts/suppressions?state=asked").text
    assert "maintenance" in page
    assert "/alerts?" not in re.sub(r"/alerts/suppressions\?", "", page)
    assert secadmin.get("/alerts").status_code == 403
    assert post(secadmin, f"/alerts/suppressions/{number}/lift", {"version": "1"}).status_code == 403
    assert post(secadmin, f"/alerts/suppressions/{number}/release", {"version": "1", "agreed": "1"}).status_code == 302
    released = ask(analyst, "GET", f"/{number}").json
    assert (released["critical_ot"], released["released_by"]) == ("released", ADMINISTRATORS["secadmin"][0])


def test_another_scope_is_not_there(app: APIFlask) -> None:
    whole, water = browser_of(app, USER), browser_of(app, "water.analyst")
    number = ask(whole, "POST", "", {"rule_id": RULE, "until": later(1), "reason": "city"}).json["id"]
    assert ask(water, "GET", f"/{number}").status_code == 404
    assert ask(water, "POST", f"/{number}/lift", match="*").status_code == 404
    assert "city" not in water.get("/alerts/suppressions").text
    foreign = {"rule_id": RULE, "until": later(1), "reason": "r", "entities": ["zone:traffic-field"]}
    assert ask(water, "POST", "", foreign).status_code == 422


def test_what_is_suppressed_is_told_everywhere(app: APIFlask, services: Services) -> None:
    browser = browser_of(app, USER)
    assert "suppressed</a>" in browser.get("/alerts?status=new").text
    listed = browser.get("/api/v1/alerts?suppressed=yes&count=true").json
    assert listed["total"] == len(listed["alerts"]) == 1
    [alert] = listed["alerts"]
    assert f'<tr data-id="{alert["id"]}"' in browser.get("/alerts?suppressed=yes").text
    assert f'<tr data-id="{alert["id"]}"' not in browser.get("/alerts?view=open").text
    assert f'<tr data-id="{alert["id"]}"' in browser.get("/alerts?view=all").text
    assert browser.get("/api/v1/alerts?suppressed=no&count=true").json["total"] > 1
    page = browser.get(f"/alerts/{alert['id']}").text
    assert "It began under suppression" in page
    assert "calm night" in page


@pytest.fixture
def services(app: APIFlask) -> Services:
    """With one alert that a suppression keeps out."""
    from operations.alerts import service as alerts
    from tests.soc_ui.seed import _attack

    found: Services = app.extensions["liandun"]
    import random

    detection = _attack(random.Random(99), datetime.now(UTC), 9001)
    browser = browser_of(app, USER)
    ask(browser, "POST", "", {"rule_id": detection.rule_id, "until": later(1), "reason": "calm night"})
    with found.database.write() as session:
        alerts.record_detections(session, [detection])
    return found
