"""Management documents through the REST API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_compliance import PDF, fill_documents, fill_findings
from tests.soc_ui.seed_desk import people
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
BASE, SEC = "/compliance/documents", "secadmin:write"
LATER = (date.today() + timedelta(days=300)).isoformat()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("documents-api"), events=0)
    fill_zones(services, events=40)
    people(services)
    return services


@pytest.fixture(scope="module")
def numbers(filled: Services) -> dict[str, int]:
    return fill_documents(filled)


def test_the_way_of_an_edition(call: Call, app: APIFlask) -> None:
    body = {"kind": "policy", "title": "接口制度", "owner": "shui.wu", "organisation": "水务局", "items": ["8.1.6.1"]}
    problem(call("POST", BASE, as_="analyst:write", json=body), 403)
    problem(call("POST", BASE, as_=SEC, json={**body, "items": ["8.1.99"]}), 422)
    made = call("POST", BASE, as_=SEC, json=body)
    path, tag = f"{BASE}/{made.get_json()['id']}", {"If-Match": made.headers["ETag"]}
    problem(call("POST", f"{path}/editions", as_=SEC, data={"label": "V1"}, headers=tag), 422)
    sent = {"label": "V1", "file": (BytesIO(b"MZ\x90\x00"), "a.exe")}
    problem(call("POST", f"{path}/editions", as_=SEC, data=sent, headers=tag), 422)
    sent = {"label": "V1", "file": (BytesIO(PDF), "制度.pdf")}
    added = call("POST", f"{path}/editions", as_=SEC, data=sent, headers=tag)
    assert added.status_code == 201, added.text
    assert added.get_json()["editions"][0]["file_name"] == "制度.pdf"
    one, tag = f"{path}/editions/1", {"If-Match": added.headers["ETag"]}
    problem(call("POST", f"{one}/approval", as_=SEC, json={}, headers=tag), 403)
    leader = browser_of(app, "ling.dao")
    token = {"X-CSRFToken": token_of(leader, "/account")}
    approved = leader.post(f"/api/v1{one}/approval", json={}, headers={**token, **tag})
    assert approved.get_json()["document"]["state"] == "approved"
    tag = {"If-Match": approved.headers["ETag"]}
    problem(call("POST", f"{one}/acts", as_=SEC, json={"act": "approve"}, headers=tag), 422)
    held = call("POST", f"{one}/acts", as_=SEC, json={"act": "enforce", "review_on": LATER}, headers=tag)
    assert held.get_json()["document"]["in_force"] == 1
    assert call("GET", f"{one}/file").data == PDF
    assert call("GET", f"{one}/seal").get_json()["problem"] == ""
    problem(call("POST", f"{one}/readers", json={}), 403)
    assert leader.post(f"/api/v1{one}/readers", headers=token).get_json()["name"] == "ling.dao"
    told = call("GET", f"{one}/readers").get_json()["readers"]
    assert [row["name"] for row in told if row["at"]] == ["ling.dao"]
    problem(call("PUT", path, as_=SEC, json=body), 428)
    problem(call("PUT", path, as_=SEC, json=body, headers=tag), 412)


def test_lists_and_what_is_overdue(call: Call, numbers: dict[str, int], filled: Services) -> None:
    page = call("GET", BASE, query={"overdue": "true"}).get_json()
    assert ([one["id"] for one in page["documents"]], page["overdue"]) == ([numbers["policy"]], 1)
    listed = call("GET", BASE, query={"kind": "record"}).get_json()["documents"]
    assert [one["id"] for one in listed] == [numbers["record"]]
    problem(call("GET", BASE, query={"review_by": "soon"}), 422)
    problem(call("GET", f"{BASE}/999"), 404)
    system, _ = fill_findings(filled, "覆盖系统")
    items = {one["item"]: one for one in call("GET", f"/compliance/systems/{system}/documents").get_json()["items"]}
    assert numbers["policy"] in [one["id"] for one in items["8.1.6.2.a"]["documents"]]


def test_a_bureau_of_another_organisation(app: APIFlask, numbers: dict[str, int]) -> None:
    browser = browser_of(app, "jiao.tong")
    assert browser.get(f"/api/v1{BASE}").get_json()["documents"] == []
    one = f"/api/v1{BASE}/{numbers['policy']}"
    for path in (one, f"{one}/editions/1/file", f"{one}/editions/1/seal", f"{one}/editions/1/readers"):
        assert browser.get(path).status_code == 404, path
