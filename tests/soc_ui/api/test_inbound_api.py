"""Inbound webhooks in the API: sources, and messages that are signed and sent without key or session."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from soc_ui.app import create_app
from soc_ui.services import Services
from tests.operations.inbound.sending import body, signed
from tests.soc_ui.api.conftest import Call

PATH = "/webhooks/inbound"
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}'\"; DROP TABLE alerts; --"
Post = Callable[..., TestResponse]


@pytest.fixture
def made(call: Call) -> dict[str, Any]:
    answer = call("POST", PATH, json={"name": "IDS", "rate": 6000})
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def post(app: APIFlask) -> Post:
    """``post(source, body, **headers)``: as a sender does, without key, cookie or CSRF token."""

    def send(
        source: dict[str, Any], message: bytes, *, headers: Any = None, kind: str = "application/json", **more: Any
    ) -> TestResponse:
        sent = signed(source["secret"], message, **more) | (headers or {})
        browser = app.test_client(use_cookies=False)
        return browser.post(f"/api/v1/inbound/{source['public_id']}", data=message, headers=sent, content_type=kind)

    return send


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def counted(call: Call, source: dict[str, Any]) -> dict[str, int]:
    return {one["outcome"]: one["number"] for one in call("GET", f"{PATH}/{source['id']}").get_json()["counts"] if one["number"]}


def test_a_message_becomes_an_alert(call: Call, post: Post, made: dict[str, Any]) -> None:
    message = body(title=HOSTILE, description=HOSTILE, host=HOSTILE, user=HOSTILE, rule=HOSTILE, fields={"note": HOSTILE})
    answer = post(made, message)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "accepted"})
    assert post(made, message).get_json() == {"status": "repeated"}
    found = call("GET", "/alerts", query={"engine": "inbound"}).get_json()["alerts"]
    (alert,) = [one for one in found if one["rule_name"] == HOSTILE]
    assert (alert["level"], alert["count"], alert["user"]) == ("high", 1, HOSTILE.lower())
    assert counted(call, made) == {"accepted": 1, "repeated": 1}


def test_the_page_of_the_alert_shows_text(app: APIFlask, post: Post, made: dict[str, Any], client: Any) -> None:
    title = f"{HOSTILE} page"
    post(made, body(title=title, description=HOSTILE, host="h-page", url="https://x.example/?a=<b>", fields={"a": HOSTILE}))
    post(made, body(title=title, host="h-page"), message_id="second")
    link = client.get("/api/v1/alerts?engine=inbound").get_json()["alerts"]
    number = next(one["id"] for one in link if one["rule_name"] == title)
    page = client.get(f"/alerts/{number}")
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
    assert "event.id%3A%28%29" not in page.text
    assert "49" not in page.text.partition("{{ 7*7 }}")[2][:3]


def test_whoever_cannot_sign_learns_nothing(call: Call, post: Post, made: dict[str, Any]) -> None:
    other = call("POST", PATH, json={"name": "off"}).get_json()
    call("PATCH", f"{PATH}/{other['id']}", json={"enabled": False}, headers={"If-Match": "*"})
    message = body()
    answers = [
        post(made | {"secret": other["secret"]}, message),
        post(other, message),
        post(made | {"public_id": "in_" + "0" * 32}, message),
        post(made | {"public_id": "nothing"}, message),
        post(made, message, at=time.time() - 400),
        post(made, message, headers={"webhook-signature": ""}),
        post(made, b"{", headers={"webhook-id": ""}),
    ]
    texts = {json.dumps(problem(answer, 401), sort_keys=True) for answer in answers}
    assert len(texts) == 1
    assert len({str(sorted(answer.headers.keys())) for answer in answers}) == 1
    assert counted(call, made) == {"signature": 3, "time": 1}
    assert counted(call, other) == {"disabled": 1}


def test_bodies_that_do_not_fit(call: Call, post: Post, made: dict[str, Any]) -> None:
    assert list(problem(post(made, body(level="worst")), 400)["errors"]) == ["data.level"]
    assert list(problem(post(made, body(source_ip="::g")), 400)["errors"]) == ["data.source_ip"]
    assert list(problem(post(made, b"{"), 400)["errors"]) == ["body"]
    assert "1.5" not in problem(post(made, body(extra=1.5)), 400)["detail"]
    problem(post(made, body(), kind="text/plain"), 415)
    problem(post(made, body(description="x" * (256 * 1024))), 413)
    assert post(made, body() + b" " * (256 * 1024 - len(body()))).status_code == 200
    assert counted(call, made) == {"body": 4, "type": 1, "size": 1, "accepted": 1}


def test_a_body_without_a_length_is_bounded(app: APIFlask, made: dict[str, Any]) -> None:
    answer = app.test_client().post(
        f"/api/v1/inbound/{made['public_id']}",
        input_stream=io.BytesIO(b"x" * 300_000),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    problem(answer, 413)


def test_too_many(call: Call, post: Post) -> None:
    slow = call("POST", PATH, json={"name": "slow", "rate": 1}).get_json()
    assert post(slow, body(), message_id="a").status_code == 200
    refused = post(slow, body(), message_id="b")
    problem(refused, 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert counted(call, slow) == {"accepted": 1, "rate": 1}


def test_only_messages_are_free_of_key_and_csrf(app: APIFlask, made: dict[str, Any]) -> None:
    browser = app.test_client()
    assert browser.get(f"/api/v1/inbound/{made['public_id']}").status_code == 405
    assert browser.post(f"/api/v1{PATH}", json={"name": "x"}).status_code == 401
    assert browser.post(f"/api/v1{PATH}/{made['id']}/secret").status_code == 401


def test_sources_are_managed(call: Call, post: Post, made: dict[str, Any]) -> None:
    path = f"{PATH}/{made['id']}"
    read = call("GET", path)
    assert "secret" not in read.get_json()
    assert made["secret"] not in call("GET", PATH).text
    problem(call("PATCH", path, json={"rate": 5}), 428)
    problem(call("PATCH", path, json={"rate": 5}, headers={"If-Match": '"9"'}), 412)
    changed = call("PATCH", path, json={"rate": 5, "max_level": "low"}, headers={"If-Match": read.headers["ETag"]})
    assert (changed.get_json()["rate"], changed.headers["ETag"]) == (5, '"2"')
    for wrong in (
        {"rate": 0},
        {"rate": "5"},
        {"max_level": "x"},
        {"zone": "nowhere"},
        {"organisation": "x"},
        {"more": 1},
        {"name": "\ud800"},
    ):
        sent = json.dumps(wrong)
        problem(call("PATCH", path, data=sent, content_type="application/json", headers={"If-Match": "*"}), 422)
    renewed = call("POST", path + "/secret").get_json()["secret"]
    assert post(made, body(), message_id="old").status_code == 200
    assert post(made | {"secret": renewed}, body(), message_id="new").status_code == 200
    assert call("DELETE", path + "/secret/previous").status_code == 204
    problem(post(made, body(), message_id="older"), 401)
    for who in ("analyst:write", "secadmin:write", "sysadmin:read"):
        problem(call("POST", PATH, json={"name": "x"}, as_=who), 403)
    problem(call("DELETE", path), 428)
    assert call("DELETE", path, headers={"If-Match": "*"}).status_code == 204
    problem(call("GET", path), 404)


def test_neither_secret_nor_body_is_logged(call: Call, post: Post, made: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(made, body(title="very-private-title"), message_id="log-1")
        post(made, body(title="very-private-title", level="x"), message_id="log-2")
        post(made | {"secret": "whsec_" + "QUJD" * 8}, body(title="very-private-title"))
    told = caplog.text + " ".join(str(vars(record)) for record in caplog.records)
    assert "very-private-title" not in told
    assert made["secret"].removeprefix("whsec_") not in told


def test_without_a_master_key(services: Services, made: dict[str, Any]) -> None:
    bare = create_app(replace(services, master_key=None)).test_client()
    message = body()
    sent = signed(made["secret"], message)
    answer = bare.post(f"/api/v1/inbound/{made['public_id']}", data=message, headers=sent, content_type="application/json")
    problem(answer, 503)
