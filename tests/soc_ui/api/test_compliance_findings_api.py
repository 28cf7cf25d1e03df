"""Findings, waivers and progress through the REST API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_compliance import FACTORS, LOCKOUT, PASSWORDS, fill_findings
from tests.soc_ui.seed_desk import people
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
BASE, SEC = "/compliance", "secadmin:write"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("findings-api"), events=0)
    fill_zones(services, events=40)
    people(services)
    return services


@pytest.fixture(scope="module")
def system(filled: Services) -> int:
    return fill_findings(filled, "接口系统")[0]


def test_pages_and_filters(call: Call, system: int) -> None:
    whole = {"system": system, "sort": "due"}
    first = call("GET", f"{BASE}/findings", query={**whole, "limit": 2}).get_json()
    assert first["findings"][0]["item"] == PASSWORDS, "what has a date comes first"
    rest = call("GET", f"{BASE}/findings", query={**whole, "limit": 2, "cursor": first["next_cursor"]}).get_json()
    assert {one["item"] for one in first["findings"] + rest["findings"]} == {PASSWORDS, LOCKOUT, FACTORS}
    assert rest["next_cursor"] == ""
    for query, wanted in (
        ({"state": "assigned"}, [PASSWORDS]),
        ({"bureau": "水务局"}, [PASSWORDS]),
        ({"undated": "true", "item": LOCKOUT}, [LOCKOUT]),
        ({"security_class": "8.1.10"}, []),
        ({"due_by": "2020-01-01T00:00:00Z"}, []),
    ):
        found = call("GET", f"{BASE}/findings", query={"system": system, **query}).get_json()["findings"]
        assert [one["item"] for one in found] == wanted, query
    problem(call("GET", f"{BASE}/findings", query={"misspelt": "1"}), 422)
    problem(call("GET", f"{BASE}/findings", query={"cursor": "x"}), 422)
    problem(call("GET", f"{BASE}/findings", query={"system": 999}), 404)
    problem(call("GET", f"{BASE}/findings/999"), 404)


def test_acts_on_a_version(call: Call, system: int) -> None:
    (one,) = call("GET", f"{BASE}/findings", query={"system": system, "item": LOCKOUT}).get_json()["findings"]
    path = f"{BASE}/findings/{one['id']}"
    answer = call("GET", path)
    tag = {"If-Match": answer.headers["ETag"]}
    assert answer.get_json()["history"][0]["act"] == "opened"
    body = {"bureau": "水务局", "due_at": "2099-01-01T00:00:00Z", "note": "整改"}
    problem(call("POST", f"{path}/assignment", as_=SEC, json=body), 428)
    problem(call("POST", f"{path}/assignment", as_="leader:write", json=body, headers=tag), 403)
    problem(call("POST", f"{path}/assignment", as_=SEC, json={**body, "due_at": "soon"}, headers=tag), 422)
    given = call("POST", f"{path}/assignment", as_=SEC, json=body, headers=tag)
    assert (given.status_code, given.get_json()["state"], given.get_json()["due_at"][:10]) == (200, "assigned", "2099-01-01")
    problem(call("POST", f"{path}/assignment", as_=SEC, json=body, headers=tag), 412)
    due = call(
        "PUT", f"{path}/due", as_=SEC, json={"due_at": "2098-06-30T00:00:00+08:00"}, headers={"If-Match": given.headers["ETag"]}
    )
    assert due.get_json()["due_at"] == "2098-06-29T16:00:00.000000Z"
    asked = call("POST", f"{path}/retest", as_="analyst:write", json={"note": "已改"}, headers={"If-Match": due.headers["ETag"]})
    assert asked.get_json()["state"] == "to_retest"
    problem(call("POST", f"{path}/retest", as_=SEC, json={"note": "已改"}, headers={"If-Match": "*"}), 409)
    told = call("GET", f"{BASE}/systems/{system}/progress", query={"months": 3}).get_json()
    assert (len(told["months"]), told["states"]["to_retest"]) == (3, 1)
    assert {"month": "2098-06", "bureau": "水务局", "findings": 1} in told["plan"]


def test_a_key_asks_for_a_waiver_and_a_person_decides(call: Call, app: APIFlask, system: int) -> None:
    (one,) = call("GET", f"{BASE}/findings", query={"system": system, "item": PASSWORDS}).get_json()["findings"]
    draft = {"reason": "r", "measure": "m", "expires_at": "2020-01-01T00:00:00Z"}
    problem(call("POST", f"{BASE}/findings/{one['id']}/waivers", as_=SEC, json=draft), 422)
    (asked,) = call("GET", f"{BASE}/waivers", query={"system": system, "state": "asked"}).get_json()["waivers"]
    path = f"{BASE}/waivers/{asked['id']}"
    tag = {"If-Match": call("GET", path).headers["ETag"]}
    problem(call("POST", f"{path}/decision", as_=SEC, json={"approve": True}, headers=tag), 403)
    leader = browser_of(app, "ling.dao")
    headers = {"X-CSRFToken": token_of(leader, "/account"), **tag}
    done = leader.post(f"/api/v1{path}/decision", json={"approve": True, "note": "同意"}, headers=headers)
    assert (done.status_code, done.get_json()["state"], done.get_json()["decided_by"]) == (200, "in_force", "ling.dao")
    (waived,) = call("GET", f"{BASE}/findings", query={"system": system, "state": "waived"}).get_json()["findings"]
    assert waived["item"] == FACTORS
    ended = call("POST", f"{path}/end", as_=SEC, json={"note": "已更换"}, headers={"If-Match": done.headers["ETag"]})
    assert ended.get_json()["state"] == "ended"
    problem(call("POST", f"{path}/end", as_=SEC, json={"note": "已更换"}, headers={"If-Match": "*"}), 409)


@pytest.mark.parametrize("number", [-1, 2**63, 10**25])
def test_numbers_that_no_row_can_have_are_refused(call: Call, app: APIFlask, system: int, number: int) -> None:
    here = f"{BASE}/systems/{system}"
    for path, query in (
        (f"{BASE}/findings", "system"),
        (f"{BASE}/findings", "object_id"),
        (f"{BASE}/waivers", "system"),
        (f"{BASE}/requests", "system"),
        (f"{here}/verdicts/{PASSWORDS}/history", "object_id"),
    ):
        problem(call("GET", path, query={query: number}), 422)
    decision = {"kind": "risk", "subject": PASSWORDS, "value": "low", "reason": "x", "object_id": 0, "version": 0}
    finding = {"item_id": PASSWORDS, "object_id": number, "verdict": "met", "reason": "x"}
    crypto = {**finding, "object_id": 0, "crypto": {"made_up_object": number}}
    problem(call("POST", f"{here}/findings", as_=SEC, json={"findings": [finding]}), 422)
    problem(call("POST", f"{here}/findings", as_=SEC, json={"findings": [crypto]}), 422)
    problem(call("POST", f"{here}/comments", as_="analyst:write", json={"text": "x", "object_id": number}), 422)
    leader = browser_of(app, "ling.dao")
    headers = {"X-CSRFToken": token_of(leader, "/account")}
    for name in ("object_id", "version"):
        problem(leader.post(f"/api/v1{here}/decisions", json={**decision, name: number}, headers=headers), 422)
        withdrawal = {key: value for key, value in decision.items() if key != "value"} | {name: number}
        problem(leader.post(f"/api/v1{here}/decisions/withdrawal", json=withdrawal, headers=headers), 422)
