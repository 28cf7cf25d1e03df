"""Advisories and the software of assets through the REST API: roles, versions, imports, decisions, hostile documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from operations.advisories.matching import AdvisoryMatcher
from soc_ui.services import Services
from tests.operations.advisories.documents import HTTPD, KEV, raw
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("advisories-api"), events=0)
    fill_zones(services, events=40)
    return services


@pytest.fixture
def asset(call: Call) -> str:
    found = call("GET", "/assets", query={"limit": 1, "status": "registered"}).get_json()["assets"]
    key: str = found[0]["key"]
    return key


def entered(call: Call, asset: str, **more: Any) -> dict[str, Any]:
    answer = call("POST", "/software", json={"asset": asset, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    body: dict[str, Any] = answer.get_json()
    return body


def test_software_is_entered_changed_and_taken_off_on_the_version_that_was_read(call: Call, asset: str) -> None:
    made = entered(call, asset, vendor="Apache", product="Tomcat", release="9.0.80")
    problem(call("POST", "/software", json={"asset": asset, "vendor": "Apache", "product": "Tomcat", "release": "9.0.80"}), 409)
    path, wanted = f"/software/{made['id']}", {"asset": asset, "vendor": "Apache", "product": "Tomcat", "release": "9.0.90"}
    problem(call("PUT", path, as_="analyst:write", json=wanted), 428)
    changed = call("PUT", path, as_="analyst:write", json=wanted, headers={"If-Match": '"1"'})
    assert (changed.get_json()["release"], changed.headers["ETag"]) == ("9.0.90", '"2"')
    problem(call("PUT", path, as_="analyst:write", json=wanted, headers={"If-Match": '"1"'}), 412)
    problem(call("DELETE", path, as_="analyst:write", query={"asset": asset}, headers={"If-Match": '"1"'}), 412)
    problem(call("DELETE", path, as_="analyst:write", query={"asset": "another"}, headers=ANY), 404)
    assert call("DELETE", path, as_="analyst:write", query={"asset": asset}, headers={"If-Match": '"2"'}).status_code == 204
    assert made["id"] not in [one["id"] for one in call("GET", "/software", query={"asset": asset}).get_json()["software"]]


def test_lists_of_software(call: Call, asset: str) -> None:
    text = f"asset,vendor,product,version\n{asset},Apache,ActiveMQ,5.15.10\nno-such-asset,x,y,1\n"
    done = call("POST", "/software/import", json={"format": "csv", "text": text}).get_json()
    assert done["made"] == 1
    assert [one["where"] for one in done["problems"]]
    again = call("POST", "/software/import", json={"format": "csv", "text": text}).get_json()
    assert (again["made"], again["seen"]) == (0, 1)
    problem(call("POST", "/software/import", json={"format": "exe", "text": "x"}), 422)
    problem(call("POST", "/software/import", json={"format": "dpkg", "text": "x\t1\n", "asset": "no-such-asset"}), 404)


@pytest.mark.parametrize(
    "more", [{"product": ""}, {"product": "x" * 161}, {"product": "x", "scheme": "y"}, {"product": "x", "id": 7}]
)
def test_software_that_is_none_is_refused(call: Call, asset: str, more: dict[str, Any]) -> None:
    problem(call("POST", "/software", json={"asset": asset, **more}), 422)


def test_from_documents_to_a_decision_and_a_warning(call: Call, filled: Services, asset: str) -> None:
    entered(call, asset, vendor="Apache", product="httpd", release="2.4.49")
    taken = call("POST", "/advisories/import", data=raw(KEV)).get_json()
    assert (taken["kind"], taken["made"] > 0, len(taken["problems"]) > 0) == ("kev", True, True)
    assert call("POST", "/advisories/import", data=raw(KEV)).get_json()["made"] == 0
    assert call("POST", "/advisories/import", data=raw(HTTPD)).status_code == 200
    AdvisoryMatcher(filled.database)()
    found = call("GET", "/advisories", query={"affected": "true"}).get_json()["advisories"]
    (one,) = [entry for entry in found if entry["key"] == "CVE-2021-41773"]
    assert (one["kev"], one["affected"]) == (True, 1)
    detail = call("GET", f"/advisories/{one['id']}")
    (match,) = [entry for entry in detail.get_json()["matches"] if entry["asset"] == asset]
    assert (match["verdict"], match["state"]) == ("affected", "open")
    path = f"/advisories/matches/{match['id']}"
    assert call("GET", path).headers["ETag"] == f'"{match["version"]}"'
    decision = {"state": "false", "note": "it does not listen"}
    problem(call("PATCH", path, json=decision), 428)
    problem(call("PATCH", path, json={"state": "false"}, headers=ANY), 422)  # a reason is needed
    problem(call("PATCH", path, json={**decision, "verdict": "fixed"}, headers=ANY), 422)
    answer = call("PATCH", path, json=decision, headers={"If-Match": f'"{match["version"]}"'})
    assert (answer.get_json()["state"], answer.get_json()["note"]) == ("false", "it does not listen")
    problem(call("PATCH", path, json=decision, headers={"If-Match": f'"{match["version"]}"'}), 412)
    drafted = call("POST", f"/advisories/{one['id']}/warning")
    assert drafted.status_code == 201
    warning = call("GET", f"/warnings/{drafted.get_json()['warning']}").get_json()
    assert "CVE-2021-41773" in str(warning)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 3000, b"null", b'{"vulnerabilities": 7}', b'{"document": {}}', b"\xff\xfe"])
def test_documents_that_are_none(call: Call, body: bytes) -> None:
    problem(call("POST", "/advisories/import", data=body), 422)


def test_who_may(call: Call, asset: str) -> None:
    for key in ("analyst:read", "leader:read"):
        assert call("GET", "/advisories", as_=key).status_code == 200
    for key in ("sysadmin:write", "auditadmin:write"):
        problem(call("GET", "/advisories", as_=key), 403)
    for key in ("leader:write", "analyst:read", "sysadmin:write"):
        problem(call("POST", "/advisories/import", as_=key, data=raw(KEV)), 403)
        problem(call("POST", "/software", as_=key, json={"asset": asset, "product": "x"}), 403)
        problem(call("PATCH", "/advisories/matches/1", as_=key, json={"state": "open"}, headers=ANY), 403)
    problem(call("GET", "/advisories", as_=""), 401)


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"cursor": "9" * 40}, {"limit": 0}, {"state": "x"}, {"color": "red"}])
def test_questions_that_are_none(call: Call, query: dict[str, Any]) -> None:
    assert call("GET", "/advisories", query=query).status_code in (400, 422)


def test_what_is_not_there(call: Call) -> None:
    for path in ("/advisories/999999", "/advisories/matches/999999", "/software?asset=no-such-asset"):
        problem(call("GET", path), 404)
    problem(call("GET", f"/advisories/{'9' * 30}"), 404)
