"""Systems, objects, verdicts, decisions and scores through the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from operations.accounts import service as accounts
from operations.accounts.schema import Reach
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
BASE, SEC = "/compliance/systems", "secadmin:write"
NEW = {"If-None-Match": "*"}
PASSWORDS = "8.1.4.1.a"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("compliance-api"), events=0)
    fill_zones(services, events=40)
    return services


def system(call: Call, name: str, **more: Any) -> str:
    answer = call("POST", BASE, as_=SEC, json={"name": name, "level": "S3A3", **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    return f"{BASE}/{answer.get_json()['id']}"


def added(call: Call, path: str, kind: str, name: str) -> int:
    answer = call("POST", f"{path}/objects", as_=SEC, json={"kind": kind, "name": name})
    assert answer.status_code == 201, answer.text
    number: int = answer.get_json()["id"]
    return number


def test_systems_are_made_read_and_changed_on_a_version(call: Call) -> None:
    path = system(call, "接口系统", extensions=["8.4"], people=[{"duty": "leader", "name": "赵局"}])
    found = call("GET", path).get_json()
    assert (found["level"], found["extensions"], found["people"][0]["name"]) == ("S3A3G3", ["8.4"], "赵局")
    wanted = {"name": "接口系统", "level": "S3A2", "filing": {"number": "31-25001", "date": "2026-01-31"}}
    problem(call("PUT", path, as_=SEC, json=wanted), 428)
    assert call("PUT", path, as_=SEC, json=wanted, headers={"If-Match": '"1"'}).get_json()["filing"]["number"] == "31-25001"
    problem(call("PUT", path, as_=SEC, json=wanted, headers={"If-Match": '"1"'}), 412)
    problem(call("PUT", path, as_="analyst:write", json=wanted, headers={"If-Match": '"2"'}), 403)
    problem(call("POST", BASE, as_=SEC, json={"name": "接口系统", "level": "S3A3"}), 409)
    problem(call("POST", BASE, as_=SEC, json={"name": "x", "level": "S9A3"}), 422)
    problem(call("POST", BASE, as_=SEC, json={"name": "x", "level": "S3A3", "g": 5}), 422)
    problem(call("GET", f"{BASE}/999"), 404)
    assert "接口系统" in [one["name"] for one in call("GET", BASE, query={"level": 3}).get_json()["systems"]]


def test_objects(call: Call) -> None:
    path = system(call, "对象系统", zones=["water-ot"])
    room = added(call, path, "room", "一号机房")
    problem(call("POST", f"{path}/objects", as_=SEC, json={"kind": "desk", "name": "x"}), 422)
    taken = call("POST", f"{path}/objects/import", as_=SEC).get_json()
    listed = call("GET", f"{path}/objects", query={"limit": 500}).get_json()["objects"]
    assert len(listed) == taken["made"] + 1
    one = f"{path}/objects/{room}"
    body = {"kind": "room", "name": "二号机房", "importance": 3}
    assert call("PUT", one, as_=SEC, json=body, headers={"If-Match": '"1"'}).get_json()["name"] == "二号机房"
    gone = call("POST", f"{one}/removal", as_=SEC, json={"reason": "搬迁"}, headers={"If-Match": '"2"'})
    assert gone.get_json()["removed_at"]
    assert [o["id"] for o in call("GET", f"{path}/objects", query={"removed": "true"}).get_json()["objects"]] == [room]


def test_verdicts_their_history_and_the_score(call: Call) -> None:
    path = system(call, "判定系统")
    host = added(call, path, "server_os", "h1")
    findings = [
        {"item_id": PASSWORDS, "object_id": host, "verdict": "met", "evidence": "a" * 64},
        {"item_id": "8.2.1.1", "object_id": host, "verdict": "met"},
    ]
    done = call("POST", f"{path}/findings", as_=SEC, json={"findings": findings}).get_json()
    assert (done["recorded"], list(done["refused"])) == (1, ["1"])
    one = f"{path}/verdicts/{PASSWORDS}/{host}"
    said = {"verdict": "不符合", "reason": "弱口令"}
    problem(call("PUT", one, as_=SEC, json=said, headers=NEW), 412)
    judged = call("PUT", one, as_=SEC, json=said, headers={"If-Match": '"1"'})
    assert (judged.get_json()["verdict"], judged.get_json()["contradicted"], judged.headers["ETag"]) == ("not_met", True, '"2"')
    problem(call("PUT", one, as_="analyst:write", json=said, headers={"If-Match": '"2"'}), 403)
    steps = call("GET", f"{path}/verdicts/{PASSWORDS}/history").get_json()["steps"]
    assert [(step["source"], step["verdict"]) for step in steps] == [("person", "not_met"), ("probe", "met")]
    listed = call("GET", f"{path}/verdicts/{PASSWORDS}").get_json()["verdicts"]
    assert [(v["object_id"], v["reason"]) for v in listed] == [(host, "弱口令")]
    standing = call("GET", f"{path}/assessment").get_json()
    assert (len(standing["items"]), standing["hazards"][0]["trigger"]) == (211, "A-18")
    score = call("GET", f"{path}/score", query={"template": "2025"}).get_json()
    assert (score["outcome"]["value"], score["outcome"]["conclusion_zh"], score["provisional"]) == ("0.00", "不符合", True)
    assert call("POST", f"{path}/scores", as_=SEC, json={}).status_code == 201
    assert [kept["value"] for kept in call("GET", f"{path}/scores").get_json()["scores"]] == ["0.00"]
    back = call("POST", f"{one}/withdrawal", as_=SEC, json={"reason": "误判"}, headers={"If-Match": '"2"'})
    assert back.status_code == 204
    assert call("GET", f"{path}/score").get_json()["outcome"]["value"] == "100.00"
    problem(call("GET", f"{path}/score", query={"template": "39786"}), 422)


def test_no_key_decides_and_a_person_does(call: Call, app: APIFlask) -> None:
    path = system(call, "决定系统")
    added(call, path, "security_device", "fw")
    decision = {"kind": "hazard", "subject": "A-29", "value": "found", "reason": "暴露面过宽"}
    problem(call("POST", f"{path}/decisions", as_=SEC, json=decision), 403)
    browser = browser_of(app, ADMINISTRATORS["secadmin"][0])
    headers = {"X-CSRFToken": token_of(browser, "/account")}
    made = browser.post(f"/api/v1{path}/decisions", json=decision, headers=headers)
    assert (made.status_code, made.get_json()["by"], made.get_json()["version"]) == (200, "an.quan", 1)
    problem(browser.post(f"/api/v1{path}/decisions", json={**decision, "version": 0}, headers=headers), 412)
    item = f"/api/v1{path}/applicability/8.1.3.4.b/0"
    answer = browser.put(item, json={"applies": False, "reason": "无邮件服务"}, headers={**headers, **NEW})
    assert answer.status_code == 201, answer.text
    told = {one["item"]: one for one in call("GET", f"{path}/applicability").get_json()["items"]}
    assert (told["8.1.3.4.b"]["applies"], told["8.1.3.4.b"]["zh"]) == (False, "无邮件服务")
    assert told[PASSWORDS]["applies"]
    gone = browser.post(f"{item}/withdrawal", json={"reason": "上了邮件"}, headers={**headers, "If-Match": '"1"'})
    assert gone.status_code == 204
    gone = browser.post(
        f"/api/v1{path}/decisions/withdrawal", json={"kind": "hazard", "subject": "A-29", "reason": "已收敛"}, headers=headers
    )
    assert gone.status_code == 204


def test_a_bureau_sees_its_own_only(call: Call, app: APIFlask, services: Services) -> None:
    ours, theirs = system(call, "水务系统", organisation="水务局"), system(call, "他局系统")
    accounts.create_user(services.database, SYSTEM, "shui.ju", "Correct-Horse-7", "bureau", reach=Reach(("水务局",)))
    browser = browser_of(app, "shui.ju")
    assert [one["name"] for one in browser.get(f"/api/v1{BASE}").get_json()["systems"]] == ["水务系统"]
    assert browser.get(f"/api/v1{ours}/assessment").status_code == 200
    for part in ("", "/objects", "/applicability", "/assessment", f"/verdicts/{PASSWORDS}", "/score", "/scores"):
        assert browser.get(f"/api/v1{theirs}{part}").status_code == 404, part
