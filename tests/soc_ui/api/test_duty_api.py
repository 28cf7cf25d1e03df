"""Duty and supervision over the API: each role and act, stale versions, hostile input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from operations.accounts import keys
from operations.accounts.permissions import PERMISSIONS
from operations.duty import roster
from operations.services.metering import meter
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.api.test_desk_api import CALLERS, ROLE
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_desk import TRAFFIC, WATER, as_, fill_desk, fill_duty
from tests.soc_ui.seed_zones import fill_zones

Ask = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("duty"), events=20)
    fill_zones(services, events=60)
    fill_desk(services)
    fill_duty(services)
    meter(services.database, services.store)
    return services


@pytest.fixture(scope="module")
def app(desk: Services) -> APIFlask:
    return create_app(desk)


@pytest.fixture(scope="module")
def tokens(desk: Services) -> dict[str, str]:
    made = {}
    for caller, name in CALLERS.items():
        owner, _database = as_(desk, name)
        with desk.database.write() as session:
            made[caller] = keys.create_key(session, owner, caller, "write")[1]
    return made


@pytest.fixture
def ask(app: APIFlask, tokens: dict[str, str]) -> Ask:
    browser = app.test_client(use_cookies=False)

    def request(method: str, path: str, who: str, *, match: str | None = "*", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {tokens[who]}"} | ({"If-Match": match} if match is not None else {})
        return browser.open("/api/v1" + path, method=method, headers=headers, **more)

    return request


def may(who: str, permission: str) -> bool:
    return permission in PERMISSIONS[ROLE.get(who, who)]


def test_a_scope_keeps_out_of_the_duty_room() -> None:
    assert not any("duty.read" in PERMISSIONS[role] for role in ("bureau", "sysadmin", "secadmin", "auditadmin", "auditor"))


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize(
    "path", ["/duty/roster", "/duty/now", "/duty/handovers", "/duty/handovers/1", "/duty/log", "/duty/escalations"]
)
def test_reading(ask: Ask, who: str, path: str) -> None:
    assert ask("GET", path, who).status_code == (200 if may(who, "duty.read") else 403)


WRITES = [
    ("POST", "/duty/roster", {"places": [{"day": "2030-01-01", "shift": "day", "rank": 1, "name": "nobody"}]}, {422}),
    ("DELETE", "/duty/roster/999", None, {404}),
    ("PUT", "/duty/shifts", {"shifts": [{"id": "A", "name": "x", "begins": "00:00", "ends": "08:00"}]}, {422}),
    ("POST", "/duty/log", {"text": "巡检"}, {201}),
    ("POST", "/duty/escalations", {"kind": "alert", "id": "999999", "reason": "x"}, {404}),
    ("POST", "/duty/escalations/999/acknowledgement", None, {404}),
    ("POST", "/duty/handovers", {"note": "x"}, {200, 403}),
    ("POST", "/duty/handovers/999/acceptance", {}, {404}),
]


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize(("method", "path", "body", "wanted"), WRITES)
def test_writing(ask: Ask, who: str, method: str, path: str, body: Any, wanted: set[int]) -> None:
    answer = ask(method, path, who, json=body) if body is not None else ask(method, path, who)
    assert answer.status_code in (wanted if may(who, "duty.write") else {403}), answer.text


def test_the_roster_over_the_api(ask: Ask, desk: Services) -> None:
    before = ask("GET", "/duty/roster?first=2031-05-01&days=2", "leader")
    assert (before.get_json()["places"], len(before.get_json()["gaps"])) == ([], 1)
    etag = before.headers["ETag"]
    body = {"places": [{"day": "2031-05-01", "shift": "day", "rank": 1, "name": "zhao.zhiban"}]}
    assert ask("POST", "/duty/roster", "duty", match=None, json=body).status_code == 428
    assert ask("POST", "/duty/roster", "duty", match=etag, json=body).get_json()["filled"] == 1
    assert ask("POST", "/duty/roster", "duty2", match=etag, json=body).status_code == 412
    again = {"places": [{"day": "2031-05-01", "shift": "day", "rank": 2, "name": "zhao.zhiban"}]}
    assert ask("POST", "/duty/roster", "duty", json=again).status_code == 422
    after = ask("GET", "/duty/roster?first=2031-05-01&days=2", "duty").get_json()
    assert [one["shown"] for one in after["places"]] == ["赵值班"]
    place = after["places"][0]["id"]
    assert ask("DELETE", f"/duty/roster/{place}", "duty", match=etag).status_code == 412
    assert ask("DELETE", f"/duty/roster/{place}", "duty").status_code == 204
    with desk.database.read() as session:
        assert f'"{roster.revision_of(session)}"' == ask("GET", "/duty/roster", "duty").headers["ETag"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/duty/roster?days=1000", None),
        ("GET", "/duty/roster?first=soon", None),
        ("GET", "/duty/log?cursor=x", None),
        ("GET", "/duty/handovers?cursor=-1", None),
        ("POST", "/duty/log", {"text": "x" * 4001}),
        ("POST", "/duty/log", {"text": "x", "kind": "escalation"}),
        ("POST", "/duty/log", {"text": "x", "actor": "somebody"}),
        ("POST", "/duty/escalations", {"kind": "alert", "id": "../1", "reason": "x"}),
        ("POST", "/duty/escalations", {"kind": "alert", "id": "1", "reason": " "}),
        ("POST", "/duty/escalations", {"kind": "alert", "id": "1", "reason": "x", "to_name": "sun.zhiban"}),
        ("POST", "/duty/roster", {"places": [{"day": "2030-01-01", "shift": "day", "rank": 9, "name": "zhao.zhiban"}]}),
        ("POST", "/duty/roster", {"places": []}),
        ("PUT", "/duty/shifts", {"shifts": []}),
        ("PUT", "/duty/shifts", {"shifts": [{"id": "a", "name": "x", "begins": "08:00", "ends": "25:00"}]}),
        (
            "PUT",
            "/duty/shifts",
            {"shifts": [{"id": f"s{number}", "name": "x", "begins": "08:00", "ends": "09:00"} for number in range(2)]},
        ),
        ("GET", "/services/supervision?year=1", None),
        ("GET", "/services/supervision/usage?year=2026&month=13", None),
        ("GET", "/services/supervision/summary?year=2026", None),
    ],
)
def test_what_does_not_fit(ask: Ask, method: str, path: str, body: Any) -> None:
    assert ask(method, path, "responder", json=body).status_code == 422


def test_a_matter_is_passed_on_and_answered(ask: Ask) -> None:
    made = ask("POST", "/duty/escalations", "analyst", json={"kind": "alert", "id": "1", "reason": "无法判断"})
    assert made.status_code == 201, made.text
    path = f"/duty/escalations/{made.get_json()['id']}/acknowledgement"
    assert made.get_json()["to_name"] in ("zhao.zhiban", "sun.zhiban")
    assert ask("POST", path, "analyst").status_code == 403
    to = {"zhao.zhiban": "duty", "sun.zhiban": "duty2"}[made.get_json()["to_name"]]
    assert ask("POST", path, to).get_json()["acknowledged_by"] == made.get_json()["to_name"]
    assert ask("POST", path, to).status_code == 409
    waiting = ask("GET", "/duty/escalations?waiting=true", "leader").get_json()["escalations"]
    assert made.get_json()["id"] not in [one["id"] for one in waiting]


@pytest.mark.parametrize("who", CALLERS)
def test_supervision_by_role_and_organisation(ask: Ask, who: str) -> None:
    wanted = 200 if may(who, "services.read") else 403
    year = ask("GET", "/duty/now", "leader").get_json()["now"][0]["day"][:4]
    kept = ask("GET", f"/services/supervision?year={year}", who)
    used = ask("GET", f"/services/supervision/usage?year={year}&month=1", who)
    assert (kept.status_code, used.status_code) == (wanted, wanted)
    if wanted == 403:
        return
    applied = sum(one["applied"] for one in kept.get_json()["services"])
    assert applied == (0 if who == "foreign" else 2)
    foreign = ask("GET", f"/services/supervision/summary?year={year}&bureau={WATER}", who)
    assert foreign.status_code == (422 if who == "foreign" else 200)
    own = ask("GET", f"/services/supervision/summary?year={year}&bureau={TRAFFIC}", who)
    assert own.status_code == (422 if who == "bureau" else 200)
