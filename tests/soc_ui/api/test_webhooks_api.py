"""Webhooks in the API: kinds, routing, preview, dead letters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.soc_ui.api.conftest import Call

ROBOT = {"name": "duty", "kind": "dingtalk", "url": "http://127.0.0.1:9/robot/send?access_token=T0ken", "secret": "SEC1"}


def test_a_robot_is_made_and_changed(call: Call) -> None:
    made = call("POST", "/webhooks", json=ROBOT | {"routing": {"rules": [{"types": ["incident.*"]}]}})
    assert made.status_code == 201
    body = made.get_json()
    assert (body["secret"], body["kind"], body["settings"]["language"]) == ("", "dingtalk", "zh")
    assert body["routing"]["rules"][0]["types"] == ["incident.*"]
    assert "T0ken" not in made.text
    path = f"/webhooks/{body['id']}"
    etag = call("GET", path).headers["ETag"]
    changed = call("PATCH", path, json={"settings": {"language": "en"}, "secret": "SEC2"}, headers={"If-Match": etag})
    assert changed.get_json()["settings"]["language"] == "en"
    assert call("PATCH", path, json={"enabled": False}, headers={"If-Match": etag}).status_code == 412
    assert call("POST", path + "/secret").status_code == 422
    assert call("POST", path + "/replay").get_json() == {"deliveries": 0}
    assert call("POST", "/webhooks/999999/replay").status_code == 404
    assert call("DELETE", path).status_code == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "fax"},
        {"settings": {"template": "\ud800"}},
        {"settings": {"template": "{{ 9 ** 9 ** 9 }}"}},
        {"settings": {"\ud800": 1}},
        {"settings": []},
        {"routing": {"rules": [{"types": ["x"]}]}},
        {"routing": {"rules": [{"zones": ["\ud800"]}]}},
        {"routing": {"quiet": {"start": "1", "end": "2"}}},
        {"secret": "a\nb"},
        {"secret": "x" * 513},
        {"url": "smtp://127.0.0.1"},
    ],
)
def test_what_is_refused(call: Call, wrong: dict[str, Any]) -> None:
    answer = call("POST", "/webhooks", data=json.dumps(ROBOT | wrong), content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text


def test_a_rehearsal_of_routing(call: Call) -> None:
    asked = {"routing": {"rules": [{"types": ["incident.*"]}]}, "min_level": "low"}
    found = call("POST", "/webhooks/routing/preview", json=asked)
    assert found.status_code == 200, found.text
    told = found.get_json()["notifications"]
    assert 1 <= len(told) <= 50
    alerts = [one for one in told if one["event_type"] == "alert.created" and one["level"] != "informational"]
    assert {one["verdict"] for one in alerts} == {"rules"}
    assert call("POST", "/webhooks/routing/preview", json={"routing": {"rules": [{"types": ["x"]}]}}).status_code == 422
    assert call("POST", "/webhooks/routing/preview", as_="analyst:write", json={}).status_code == 403


def test_a_preview(call: Call) -> None:
    told = call(
        "POST", "/webhooks/preview", json={"kind": "mail", "language": "en", "template": "{{ level_name }}: {{ data.host }}"}
    )
    assert told.get_json() == {"subject": "[high] New alert: Webshell (example)", "text": "high: web-1"}
    assert "新告警" in call("POST", "/webhooks/preview", json={"kind": "wecom"}).get_json()["text"]
    assert call("POST", "/webhooks/preview", json={"kind": "cef"}).status_code == 422
    assert call("POST", "/webhooks/preview", json={"kind": "mail", "template": "{% for"}).status_code == 422
    assert call("POST", "/webhooks/preview", as_="analyst:write", json={"kind": "mail"}).status_code == 403
