"""Playbooks in the API: the shelf, runs with their journals, what they ask, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from operations.accounts import service as accounts
from operations.accounts.schema import Policy
from operations.audit.schema import SYSTEM
from playbooks.extension import EXTENSION
from playbooks.library import load
from playbooks.run import questions
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.playbooks.documents import FIRST, document, uuid
from tests.soc_ui.api.conftest import Call
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import PASSWORD
from tests.soc_ui.seed_playbooks import EVIL, UNDO, failed_undo, fill_shelf, go_on, question, run, shipped, ticket, two_people

DRILL = json.loads(shipped("drill"))["id"]
DUTY = "pb.duty"


@pytest.fixture(scope="module", autouse=True)
def shelf(services: Services) -> None:
    fill_shelf(services.database)
    for role in ("responder", "duty", "leader", "sysadmin"):
        accounts.create_user(services.database, SYSTEM, f"pb.{role}", PASSWORD, role)


@pytest.fixture
def person(app: APIFlask) -> Any:
    """``person("duty", "POST", "/questions/1/approval", json=…)``: with a session and its CSRF header, as a page of ours would."""
    browsers: dict[str, tuple[FlaskClient, str]] = {}

    def request(role: str, method: str, path: str, headers: Any = None, **more: Any) -> TestResponse:
        if role not in browsers:
            browser = browser_of(app, f"pb.{role}")
            browsers[role] = (browser, token_of(browser, "/account"))
        browser, token = browsers[role]
        return browser.open("/api/v1" + path, method=method, headers={"X-CSRFToken": token, **(headers or {})}, **more)

    return request


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def body(**changes: Any) -> str:
    return json.dumps(document(**changes))


def test_the_shelf(call: Call) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = call("GET", "/playbooks", query={"limit": 10, "cursor": cursor}).get_json()
        seen += [one["playbook_id"] for one in page["playbooks"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) >= 26
    one = call("GET", f"/playbooks/{DRILL}")
    assert (one.get_json()["names"], one.headers["ETag"]) == ({"en": "Drill"}, f'"{one.get_json()["revision"]}"')
    versions = call("GET", f"/playbooks/{DRILL}/versions").get_json()["versions"]
    assert [version["number"] for version in versions] == [2, 1]
    assert call("GET", f"/playbooks/{DRILL}/versions/1/document").data == shipped("drill")
    changes = call("GET", f"/playbooks/{DRILL}/difference", query={"old": 1, "new": 2}).get_json()["changes"]
    assert {change["path"] for change in changes} >= {"name"}
    for path in ("/playbooks/none", f"/playbooks/{DRILL}/versions/9", f"/playbooks/{DRILL}/difference?old=1&new=9", "/runs/999"):
        problem(call("GET", path), 404)
    for path in ("/playbooks?cursor=x", "/runs?cursor=x", "/questions?cursor=x", "/playbooks?more=1", "/runs?state=dead"):
        problem(call("GET", path), 422)


def test_a_document_is_checked_saved_and_put_in_force_by_somebody_else(call: Call, person: Any) -> None:
    own = f"playbook--{uuid(600)}"
    assert call("POST", "/playbooks/check", json={"document": body(id=own)}).get_json()["runnable"]
    told = call("POST", "/playbooks/check", json={"document": body(id=own, workflow_start="start--none")}).get_json()
    assert (told["runnable"], told["problems"][0]["severity"]) == (False, "error")
    assert not call("POST", "/playbooks/check", json={"document": "{"}).get_json()["runnable"]
    problem(call("POST", "/playbooks", json={"document": body(id=own)}), 403)  # analysts do not write playbooks
    broken = problem(person("responder", "POST", "/playbooks", json={"document": body(id=own, workflow_start="x")}), 422)
    assert broken["problems"][0]["path"] == "workflow_start"
    made = person("responder", "POST", "/playbooks", json={"document": body(id=own), "note": EVIL})
    assert (made.status_code, made.get_json()["number"], made.get_json()["note"]) == (201, 1, EVIL)
    problem(person("responder", "POST", "/playbooks", json={"document": body(id=own, name="other")}), 409)
    etag = person("duty", "GET", f"/playbooks/{own}").headers["ETag"]
    path = f"/playbooks/{own}/release"
    problem(person("responder", "POST", path, json={"number": 1}, headers={"If-Match": etag}), 403)
    problem(person("duty", "POST", path, json={"number": 1}), 428)
    problem(person("duty", "POST", path, json={"number": 1}, headers={"If-Match": '"99"'}), 412)
    released = person("duty", "POST", path, json={"number": 1}, headers={"If-Match": etag})
    assert (released.status_code, released.get_json()["released"]) == (200, 1)
    off = person("responder", "PATCH", f"/playbooks/{own}", json={"enabled": False}, headers={"If-Match": "*"})
    assert off.get_json()["enabled"] is False
    problem(person("responder", "PATCH", f"/playbooks/{own}", json={"enabled": True}, headers={"If-Match": "*"}), 403)
    problem(call("POST", f"/playbooks/{own}/runs", json={"variables": {}}), 409)


def test_what_is_no_document(person: Any) -> None:
    for wrong in ({}, {"document": ""}, {"document": "[]"}, {"document": "x", "more": 1}, {"document": 7}):
        problem(person("responder", "POST", "/playbooks", json=wrong), 422)
    secret = document(id=f"playbook--{uuid(601)}", playbook_variables={"__ip__": {"type": "ipv4-addr", "external": True}})
    login = next(iter(secret["authentication_info_definitions"]))
    secret["authentication_info_definitions"][login] = {"type": "http-basic", "username": "x", "password": "hunter2hunter2"}
    refused = person("responder", "POST", "/playbooks", json={"document": json.dumps(secret), "draft": True})
    assert "hunter2" not in str(problem(refused, 422))


def test_a_run_from_its_start_to_its_end(call: Call, services: Services) -> None:
    path = f"/playbooks/{DRILL}/runs"
    wanted = {"variables": {"__scenario__": "x"}, "subject": {"kind": "alert", "id": "1"}, "prefill": True, "request_key": "once"}
    made = call("POST", path, json=wanted)
    assert made.status_code == 201, made.text
    run_id = made.get_json()["run"]["id"]
    assert made.headers["Location"] == f"/api/v1/runs/{run_id}"
    assert made.get_json()["run"]["cause"] == {"kind": "alert", "id": 1}
    assert made.get_json()["variables"]["__alert_id__"] == "1"
    assert call("POST", path, json=wanted).get_json()["run"]["id"] == run_id
    form = call("GET", f"/playbooks/{DRILL}/start", query={"kind": "alert", "id": "1"}).get_json()["fields"]
    assert {one["name"]: (one["value"], one["needed"]) for one in form}["__alert_id__"] == ("1", False)
    problem(call("GET", f"/playbooks/{DRILL}/start", query={"kind": "alert", "id": "999"}), 404)
    block = next(one.id for one in load() if one.name == "封禁网络地址")
    form = call("GET", f"/playbooks/{block}/start").get_json()["fields"]
    assert [one["name"] for one in form if one["needed"]] == ["__address__"]
    refused = problem(call("POST", f"/playbooks/{block}/runs", json={"variables": {"__matter__": "x"}}), 422)
    assert "cannot do without __address__" in str(refused)
    for wrong in ({"__alert_id__": "x"}, {"__score__": "1"}, {"__scenario__": 7}, {"__scenario__": ["x"]}):
        problem(call("POST", path, json={"variables": wrong}), 422)
    problem(call("POST", path, json={"subject": {"kind": "alert", "id": "999"}}), 404)
    problem(call("POST", path, json={"subject": {"kind": "alert", "id": "9" * 30}}), 422)
    problem(call("POST", path, json={}, as_="leader:read"), 403)
    assert [one["id"] for one in call("GET", "/runs", query={"state": "open", "limit": 1}).get_json()["runs"]] == [run_id]
    assert [one["id"] for one in call("GET", "/runs", query={"subject": "alert:1"}).get_json()["runs"]] == [run_id]
    assert call("GET", "/runs", query={"subject": "incident:1"}).get_json()["runs"] == []
    problem(call("GET", "/runs", query={"subject": "alert:1 OR 1=1"}), 422)
    problem(call("POST", f"/runs/{run_id}/undo"), 409)
    problem(call("POST", f"/runs/{run_id}/cancel", json={}), 422)
    assert call("POST", f"/runs/{run_id}/cancel", json={"reason": "over"}).status_code == 202
    go_on(services.database, run_id, "cancelled")
    problem(call("POST", f"/runs/{run_id}/cancel", json={"reason": "over"}), 409)
    lines, cursor = [], ""
    while True:
        page = call("GET", f"/runs/{run_id}/journal", query={"limit": 1, "cursor": cursor}).get_json()
        lines += page["lines"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[0]["event"]["kind"] == "started"


def test_people_agree_in_person(call: Call, person: Any, services: Services) -> None:
    run_id = run(services.database, ticket("核查"), {"__ip__": "203.0.113.7"}, gate=two_people)
    (asked,) = call("GET", "/questions", query={"run_id": run_id}).get_json()["questions"]
    assert (asked["kind"], asked["number"], asked["why"]) == ("approval", 2, ["system", "control"])
    path = f"/questions/{asked['id']}/approval"
    agree = {"digest": asked["digest"], "agree": True, "comment": "seen"}
    problem(call("POST", path, json=agree), 403)  # a key is nobody
    problem(person("duty", "POST", path, json={**agree, "digest": "0" * 64}), 409)
    problem(person("duty", "POST", path, json={**agree, "digest": "short"}), 422)
    problem(person("duty", "POST", path, json={**agree, "agree": False, "comment": ""}), 422)
    for role in ("duty", "leader"):
        assert person(role, "POST", path, json=agree).status_code == 200
    problem(person("leader", "POST", path, json=agree), 409)
    go_on(services.database, run_id, "finished")
    closed = call("GET", f"/questions/{asked['id']}").get_json()
    assert (closed["outcome"], [given["by"] for given in closed["answers"]]) == ("approved", ["pb.duty", "pb.leader"])
    problem(person("duty", "POST", "/questions/99999/approval", json=agree), 404)


def test_a_task_is_answered(call: Call, services: Services) -> None:
    run_id = run(services.database, question(), {"__ip__": "203.0.113.7"})
    with services.database.read() as session:
        (asked,) = questions.open_questions(session, run_id=run_id)
    path = f"/questions/{asked.id}/answer"
    for wrong in ({"__found__": 7}, {"__other__": "x"}):
        problem(call("POST", path, json={"done": True, "variables": wrong}), 422)
    problem(call("POST", f"/questions/{asked.id}/decision", json={"choice": "again"}), 404)
    assert call("POST", path, json={"done": True, "variables": {"__found__": EVIL}}).status_code == 200
    go_on(services.database, run_id, "finished")
    told = call("GET", f"/runs/{run_id}/journal").get_json()["lines"]
    assert any(line["event"].get("variables") == {"__found__": EVIL} for line in told)


def test_an_approval_by_hand_is_an_approval(call: Call, person: Any, services: Services) -> None:
    """A step by hand that says who may answer: no key, not who lacks the role, but a leader, who may start nothing."""
    run_id = run(services.database, by_approval({"roles": ["duty", "leader"]}), {"__ip__": "203.0.113.7"})
    with services.database.read() as session:
        (asked,) = questions.open_questions(session, run_id=run_id)
    path, done = f"/questions/{asked.id}/answer", {"done": True, "variables": {"__found__": "yes"}}
    problem(call("POST", path, json=done), 403)
    problem(person("responder", "POST", path, json=done), 403)
    assert person("leader", "POST", path, json=done).status_code == 200
    go_on(services.database, run_id, "finished")


def by_approval(approval: dict[str, Any]) -> bytes:
    made = json.loads(question())
    step = next(step for step in made["workflow"].values() if step["type"] == "action")
    step["step_extensions"] = {EXTENSION: {"approval": approval}}
    return json.dumps(made | {"id": f"playbook--{uuid(301)}"}).encode()


def test_a_proof_that_is_not_fresh_agrees_to_nothing(services: Services) -> None:
    run_id = run(services.database, ticket("核查"), {"__ip__": "203.0.113.7"}, gate=two_people)
    with services.database.read() as session:
        (asked,) = questions.open_questions(session, run_id=run_id)
    browser = browser_of(create_app(replace(services, policy=Policy(fresh_time=0))), DUTY)
    headers = {"X-CSRFToken": token_of(browser, "/account")}
    sent = {"digest": asked.digest, "agree": True}
    refused = browser.post(f"/api/v1/questions/{asked.id}/approval", json=sent, headers=headers)
    assert problem(refused, 403)["needs"] == "proof"


def test_secrets_and_their_hosts(call: Call, person: Any) -> None:
    path = "/playbook-secrets/openc2-gateway/north"
    sent = {"value": "hunter2-hunter2", "hosts": ["GW.example.cn:443", "[2001:DB8::7]"]}
    for method, where, more in (("GET", "/playbook-secrets", {}), ("PUT", path, {"json": sent}), ("DELETE", path, {})):
        problem(call(method, where, **more), 403)
        problem(person("responder", method, where, **more), 403)
    made = person("sysadmin", "PUT", path, json=sent)
    assert (made.status_code, made.get_json()["hosts"]) == (200, ["gw.example.cn:443", "2001:db8::7"])
    assert person("sysadmin", "PUT", path, json={"value": "younger"}).get_json()["hosts"] == ["gw.example.cn:443", "2001:db8::7"]
    listed = person("sysadmin", "GET", "/playbook-secrets")
    assert [one["name"] for one in listed.get_json()["secrets"]] == ["openc2-gateway/north"]
    assert "hunter2" not in listed.text + made.text
    for wrong in (
        {},
        {"value": " "},
        {**sent, "hosts": ["<b>"]},
        {**sent, "hosts": "gw.example.cn"},
        {**sent, "hosts": ["a.cn"] * 51},
    ):
        problem(person("sysadmin", "PUT", path, json=wrong), 422)
    problem(person("sysadmin", "PUT", "/playbook-secrets/a%20b", json=sent), 422)
    assert person("sysadmin", "DELETE", path).status_code == 204
    problem(person("sysadmin", "DELETE", path), 404)


def test_triggers(call: Call, person: Any) -> None:
    wanted = {"name": EVIL, "playbook_id": DRILL, "kind": "alert", "condition": {"level": "high"}}
    problem(call("POST", "/triggers", json=wanted), 403)
    made = person("responder", "POST", "/triggers", json=wanted)
    assert (made.status_code, made.get_json()["enabled"], made.headers["ETag"]) == (201, False, '"1"')
    path = f"/triggers/{made.get_json()['id']}"
    for wrong in (
        {"kind": "moon"}, {"condition": {}}, {"condition": {"level": "worst"}}, {"condition": {"level": "high", "x": 1}},
        {"playbook_id": "playbook--none"}, {"variables": {"x": "y"}}, {"variables": {"__a__": "{"}}, {"most_per_hour": 0},
        {"throttle_seconds": "5"}, {"more": 1},
    ):  # fmt: skip
        problem(person("responder", "POST", "/triggers", json=wanted | wrong), 422)
    problem(person("responder", "PATCH", path, json={"enabled": True}, headers={"If-Match": "*"}), 403)
    problem(person("duty", "PATCH", path, json={"enabled": True}), 428)
    problem(person("duty", "PATCH", path, json={"enabled": True}, headers={"If-Match": '"7"'}), 412)
    on = person("duty", "PATCH", path, json={"enabled": True}, headers={"If-Match": made.headers["ETag"]})
    assert on.get_json()["enabled_by"] == "pb.duty"
    changed = person("responder", "PUT", path, json=wanted | {"name": "other"}, headers={"If-Match": on.headers["ETag"]})
    assert (changed.get_json()["name"], changed.get_json()["enabled"]) == ("other", False)
    listed = call("GET", "/triggers", query={"kind": "alert", "playbook_id": DRILL}).get_json()
    assert [one["name"] for one in listed["triggers"]] == ["other"]
    problem(call("GET", "/triggers?cursor=x"), 422)
    assert person("responder", "DELETE", path, headers={"If-Match": "*"}).status_code == 204
    problem(call("GET", path), 404)


def test_settled_by_hand(call: Call, services: Services) -> None:
    run_id = failed_undo(services.database)
    path = f"/runs/{run_id}"
    (left,) = call("GET", f"{path}/left").get_json()["left"]
    assert (left["step_id"], left["undo"], left["code"]) == (FIRST, UNDO, "NOT_FOUND")
    body = {"visit": left["visit"], "comment": EVIL}
    problem(call("POST", f"{path}/settle", json=body, as_="leader:read"), 403)
    for wrong in ({}, {"visit": left["visit"]}, body | {"comment": ""}, body | {"comment": "x" * 2_001}, body | {"visit": 0},
                  body | {"visit": "1"}, body | {"visit": 10**30}, body | {"by": "root"}):  # fmt: skip
        problem(call("POST", f"{path}/settle", json=wrong), 422)
    problem(call("POST", f"{path}/settle", json=body | {"visit": 77}), 404)
    problem(call("POST", "/runs/99999/settle", json=body), 404)
    problem(call("GET", "/runs/99999/left"), 404)
    assert call("POST", f"{path}/settle", json=body).status_code == 202
    problem(call("POST", f"{path}/settle", json=body), 409)
    go_on(services.database, run_id, "undone")
    assert call("GET", path).get_json()["run"]["reason"] == "settled by hand"
    assert call("GET", f"{path}/left").get_json()["left"] == []
    events = [line["event"] for line in call("GET", f"{path}/journal", query={"limit": 200}).get_json()["lines"]]
    assert [one["comment"] for one in events if one["kind"] == "settled"] == [EVIL]
    problem(call("POST", f"{path}/settle", json=body), 404)
