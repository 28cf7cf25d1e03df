"""Incidents through the REST API: the whole life, who may do what in which zone, versions, hostile bodies."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx as office
import pytest
from apiflask import APIFlask
from pypdf import PdfReader
from werkzeug.test import TestResponse

from operations.accounts import keys
from operations.accounts.permissions import PERMISSIONS, ROLES, for_keys
from operations.accounts.schema import Principal, Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
ANY = {"If-Match": "*"}
DECISION = {"class_code": "0206", "object": "important", "loss": "serious", "harm": "slight"}
EVIDENCE = {"name": "mail", "origin": "ws-1", "reason": "x", "content": "aGVsbG8="}
HOSTILE = "<script>alert(1)</script>{{7*7}}' OR 1=1 --\u202e"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("incidents-api"), events=40)
    fill_zones(services, events=400)
    for role in ROLES:
        reach = Reach(zones=("gov-cloud",)) if role == "bureau" else None
        create_user(services.database, SYSTEM, f"city.{role}", PASSWORD, role, **({"reach": reach} if reach else {}))
        if role in ("analyst", "responder", "duty", "bureau"):
            create_user(services.database, SYSTEM, f"water.{role}", PASSWORD, role, reach=Reach(zones=("water-ot",)))
    return services


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


@pytest.fixture(scope="module")
def as_(app: APIFlask) -> Call:
    """``as_("city.responder", "POST", "/incidents", json=…, headers=…)``: through a session with its CSRF header."""
    browsers: dict[str, Any] = {}

    def request(name: str, method: str, path: str, *, headers: Any = None, **more: Any) -> TestResponse:
        if name not in browsers:
            browser = browser_of(app, name)
            browsers[name] = (browser, token_of(browser, "/account"))
        browser, token = browsers[name]
        sent = {"X-CSRFToken": token, **(headers or {})}
        answer: TestResponse = browser.open("/api/v1" + path, method=method, headers=sent, **more)
        return answer

    return request


@pytest.fixture(scope="module")
def made(as_: Call) -> dict[str, Any]:
    """An incident in the cloud with one of each part."""
    alerts = as_("city.responder", "GET", "/alerts?limit=2").get_json()["alerts"]
    body = {"title": "Brute force", "zones": ["gov-cloud"], "origin": "alert", "alerts": [alerts[0]["id"]]}
    answer = as_("city.responder", "POST", "/incidents", json=body)
    assert answer.status_code == 201, answer.get_json()
    here = f"/incidents/{answer.get_json()['id']}"
    parts = {
        "task": as_("city.responder", "POST", f"{here}/tasks", json={"title": "x"}).get_json()["id"],
        "asset": as_("city.responder", "POST", f"{here}/assets", json={"kind": "service", "name": "Portal"}).get_json()["id"],
        "action": as_("city.responder", "POST", f"{here}/actions", json={"title": "x"}).get_json()["id"],
        "report": as_("city.responder", "POST", f"{here}/reports", json={"kind": "initial"}).get_json()["id"],
        "piece": as_("city.responder", "POST", f"{here}/evidence", json=EVIDENCE).get_json()["id"],
    }
    return {"here": here, "alert": alerts[0]["id"], "other": alerts[1]["id"], **parts}


def acts(made: dict[str, Any]) -> list[tuple[str, str, str, Any]]:
    """Every route of one incident: permission, method, path, and a body that does not fit, so that nothing is changed."""
    here = made["here"]
    reads = ("", "/alerts", "/tasks", "/timeline", "/indicators", "/assets", "/reports", f"/reports/{made['report']}/file",
             "/review", "/actions", "/evidence", f"/evidence/{made['piece']}")  # fmt: skip
    writes = [
        ("PATCH", ""), ("POST", "/acknowledge"), ("POST", "/phase"), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/merge"),
        ("POST", "/alerts"), ("DELETE", f"/alerts/{made['other']}"), ("POST", "/tasks"), ("PATCH", f"/tasks/{made['task']}"),
        ("POST", "/timeline"), ("POST", "/indicators"), ("DELETE", "/indicators/999999"), ("POST", "/assets"),
        ("PATCH", f"/assets/{made['asset']}"), ("POST", "/evidence"),
        ("POST", "/evidence/events"), ("POST", f"/evidence/{made['piece']}/links"),
        ("POST", f"/evidence/{made['piece']}/copy"), ("POST", f"/evidence/{made['piece']}/open"),
        ("PUT", "/review"), ("POST", "/actions"), ("PATCH", f"/actions/{made['action']}"),
    ]  # fmt: skip
    found: list[tuple[str, str, str, Any]] = [("incidents.read", "GET", here + path, None) for path in reads]
    found += [("incidents.write", method, here + path, {"nonsense": 1}) for method, path in writes]
    found.append(("incidents.decide", "POST", f"{here}/decision", {"nonsense": 1}))
    found.append(("incidents.report", "POST", f"{here}/reports", {"nonsense": 1}))
    found.append(("incidents.report", "POST", f"{here}/reports/{made['report']}/submission", {"nonsense": 1}))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_each_role_and_each_act(as_: Call, made: dict[str, Any], role: str) -> None:
    """Allowed: anything but 401 and 403; the bodies are nonsense, so that nothing is changed."""
    general = [("incidents.read", "GET", path, None) for path in ("/incidents", "/incidents/facets", "/incidents/classification",
               "/incidents/deadlines", "/incidents/metrics")]  # fmt: skip
    general += [("incidents.write", "POST", "/incidents", {"nonsense": 1})]
    general += [("incidents.decide", "PUT", "/incidents/deadlines/ack.1", {"nonsense": 1})]
    for permission, method, path, body in [*general, *acts(made)]:
        answer = (
            as_(f"city.{role}", method, path, json=body, headers={"If-Match": '"0"'})
            if body is not None
            else as_(f"city.{role}", method, path)
        )
        allowed = permission in PERMISSIONS[role]
        assert (answer.status_code != 403) == allowed, (role, method, path, answer.status_code)
        assert answer.status_code < 500


GOOD: dict[str, Any] = {
    "": {"title": "y"}, "/phase": {"phase": "containment"}, "/pause": {"reason": "x"}, "/merge": {"other": 1},
    "/alerts": {"alerts": [1]},
    "/tasks": {"title": "y"}, "/timeline": {"text": "y"}, "/indicators": {"kind": "ip", "value": "203.0.113.4"},
    "/assets": {"kind": "service", "name": "y"}, "/review": {"lessons": "y"}, "/actions": {"title": "y"}, "/decision": DECISION,
    "/reports": {"kind": "initial"}, "/evidence": EVIDENCE, "/evidence/events": {"reason": "y"},
}  # fmt: skip


@pytest.mark.parametrize("role", ["analyst", "responder", "duty", "bureau"])
def test_of_a_foreign_organisation_nothing_is_there(as_: Call, made: dict[str, Any], role: str) -> None:
    """404 with bodies that fit, and nothing has changed; 403 only where the role may not do it anywhere."""
    here = made["here"]
    before = [as_("city.responder", "GET", here + path).get_json() for path in ("", "/tasks", "/timeline", "/assets", "/actions")]
    more = {f"/tasks/{made['task']}": {"status": "done"}, f"/assets/{made['asset']}": {"state": "cleared", "impact": ""},
            f"/evidence/{made['piece']}/links": {"action": "examine", "reason": "y"},
            f"/evidence/{made['piece']}/copy": {"reason": "y"}, f"/evidence/{made['piece']}/open": {"reason": "y"},
            f"/actions/{made['action']}": {"status": "done"}, f"/reports/{made['report']}/submission": {"to": "x"}}  # fmt: skip
    for permission, method, path, _body in acts(made):
        body = {**GOOD, **more}.get(path.removeprefix(here))
        answer = as_(f"water.{role}", method, path, headers=ANY, **({"json": body} if body is not None else {}))
        wanted = 404 if permission in PERMISSIONS[role] else 403
        assert answer.status_code == wanted, (role, method, path, answer.status_code, answer.text[:200])
    listed = as_(f"water.{role}", "GET", "/incidents").get_json()
    assert [row["id"] for row in listed["incidents"] if row["zones"] == ["gov-cloud"]] == []
    assert listed["hidden"] >= 1
    after = [as_("city.responder", "GET", here + path).get_json() for path in ("", "/tasks", "/timeline", "/assets", "/actions")]
    for one in (before[0], after[0]):
        one["incident"].pop("clocks")
    assert after == before


def test_no_key_decides(as_: Call, app: APIFlask, filled: Services, made: dict[str, Any]) -> None:
    assert "incidents.decide" not in for_keys("responder")
    with filled.database.write() as session:
        owner = Principal(1, "lin.mei", "", "analyst")
        token = keys.create_key(session, owner, "k", "write")[1]
    browser = app.test_client(use_cookies=False)
    answer = browser.post(
        f"/api/v1{made['here']}/decision", json=DECISION, headers={"Authorization": f"Bearer {token}", "If-Match": "*"}
    )
    assert answer.status_code == 403


def test_the_whole_life(as_: Call) -> None:
    def do(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = as_("city.responder", method, path, json=body, headers={"If-Match": "*", **headers})
        assert answer.status_code < 300, (path, answer.text)
        return answer

    alerts = [
        row["id"]
        for row in as_("city.responder", "GET", "/alerts?limit=20&rule=0b9ad457-2554-44c1-82c2-d56a99c42377").get_json()["alerts"]
    ]
    made = do("POST", "/incidents", {"title": "SSH", "alerts": alerts[:3], "zones": ["gov-cloud"]})
    here, tag = f"/incidents/{made.get_json()['id']}", made.headers["ETag"]
    assert made.get_json()["suggested_class"] == "0206"
    decided = do("POST", f"{here}/decision", DECISION, **{"If-Match": tag})
    problem(as_("city.responder", "POST", f"{here}/decision", json=DECISION, headers={"If-Match": tag}), 412)
    problem(as_("city.responder", "POST", f"{here}/decision", json=DECISION), 428)
    assert decided.get_json()["level"] == 3
    assert {one["key"] for one in decided.get_json()["clocks"]} == {"ack", "contain", "resolve", "report", "closing"}
    task = do("GET", f"{here}/tasks").get_json()["tasks"][0]
    do("PATCH", f"{here}/tasks/{task['id']}", {"status": "done"}, **{"If-Match": f'"{task["version"]}"'})
    do("POST", f"{here}/timeline", {"kind": "decision", "text": "block"})
    do("POST", f"{here}/pause", {"reason": "vendor"})
    do("POST", f"{here}/resume")
    report = do("POST", f"{here}/reports", {"kind": "initial", "language": "en"}).get_json()
    octets = as_("city.responder", "GET", f"{here}/reports/{report['id']}/file?format=docx")
    assert octets.headers["Content-Disposition"] == f'attachment; filename="{report["number"]}.docx"'
    assert any(
        "SSH" in cell.text for table in office.Document(BytesIO(octets.data)).tables for row in table.rows for cell in row.cells
    )
    assert PdfReader(BytesIO(as_("city.responder", "GET", f"{here}/reports/{report['id']}/file?format=pdf").data)).pages
    do("POST", f"{here}/reports/{report['id']}/submission", {"to": "CAC"})
    piece = do("POST", f"{here}/evidence/events", {"reason": "case"}).get_json()
    assert piece["events"] >= 3
    do("POST", f"{here}/evidence/{piece['id']}/links", {"action": "hand over", "reason": "police"}, **{"If-Match": '"1"'})
    opened = do("POST", f"{here}/evidence/{piece['id']}/open", {"reason": "look"}).data
    assert b"Failed password" in opened
    assert opened.startswith(b'{"incident":')
    found = do("GET", f"{here}/evidence/{piece['id']}").get_json()
    assert ([link["action"] for link in found["links"]], found["problem"]) == (["seal", "hand over", "open"], "")
    do("PUT", f"{here}/review", {"root_cause": "weak password"}, **{"If-Match": '"0"'})
    problem(as_("city.responder", "PUT", f"{here}/review", json={}, headers={"If-Match": '"0"'}), 412)
    do("POST", f"{here}/phase", {"phase": "review"})
    problem(
        as_("city.analyst", "POST", f"{here}/phase", json={"phase": "closed", "cause": "resolved", "reason": "x"}, headers=ANY), 422
    )
    closed = do("POST", f"{here}/phase", {"phase": "closed", "cause": "resolved", "reason": "x"}).get_json()
    assert closed["closed_at"]
    problem(as_("city.responder", "POST", f"{here}/tasks", json={"title": "late"}), 409)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"title": "x", "level": 1}, "level"),  # mass assignment
        ("", {"title": "x", "number": "SJ-1"}, "number"),
        ("", {"title": "x", "version": 7, "created_by": "me"}, "version"),
        ("", {"title": ""}, "title"),
        ("", {"title": "x" * 257}, "title"),
        ("", {"title": "x", "severity": "huge"}, "severity"),
        ("", {"title": "x", "zones": ["no-such-zone"]}, "zones"),
        ("", {"title": "x", "assignee": "shen.ji"}, "assignee"),
        ("", {"title": "x", "detected_at": "2999-01-01T00:00:00Z"}, "detected_at"),
        ("", {"title": "x", "alerts": [2**63]}, "alerts"),
        ("", {"title": "\ud800"}, "title"),
        ("/tasks", {"title": "x", "done_by": "me"}, "done_by"),
        ("/indicators", {"kind": "ip", "value": "1.2.3"}, "value"),
        ("/assets", {"kind": "service", "name": "x", "layer": "moon"}, "layer"),
        ("/timeline", {"kind": "act", "text": "x"}, "kind"),
        ("/reports", {"kind": "initial", "number": "BG-1"}, "number"),
        ("/evidence", {**EVIDENCE, "content": "no base64!"}, "content"),
        ("/evidence", {**EVIDENCE, "sm3": "0" * 64}, "sm3"),
    ],
)
def test_bodies_that_do_not_fit(as_: Call, made: dict[str, Any], path: str, body: Any, field: str) -> None:
    answer = as_("city.responder", "POST", f"{made['here']}{path}" if path else "/incidents", json=body)
    found = problem(answer, 422)
    assert any(name.split(".")[0] == field for name in found["errors"]), found


def test_hostile_texts_come_back_as_they_are(as_: Call) -> None:
    body = {"title": HOSTILE, "description": HOSTILE, "reporter": HOSTILE, "zones": ["gov-cloud"], "organisations": [HOSTILE]}
    made = as_("city.responder", "POST", "/incidents", json=body)
    assert made.status_code == 201
    assert made.get_json()["title"] == HOSTILE
    found = as_("city.responder", "GET", "/incidents", query_string={"text": "' OR 1=1 --"}).get_json()
    assert {row["title"] for row in found["incidents"]} == {HOSTILE}
    for bad in ("%", "_", "\\", "*"):
        assert as_("city.responder", "GET", "/incidents", query_string={"text": f"qq{bad}qq"}).get_json()["incidents"] == []


def test_pages_and_unknown_parameters(as_: Call) -> None:
    seen: list[int] = []
    cursor = ""
    while True:
        page = as_("city.leader", "GET", "/incidents", query_string={"limit": 1, "cursor": cursor, "count": "true"}).get_json()
        seen += [row["id"] for row in page["incidents"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == page["total"]
    problem(as_("city.leader", "GET", "/incidents?phse=closed"), 422)
    problem(as_("city.leader", "GET", "/incidents?cursor=x"), 422)
    problem(as_("city.leader", "GET", "/incidents/999999"), 404)
