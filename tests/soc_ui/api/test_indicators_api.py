"""Indicators through the REST API: roles and scopes of keys, versions, paging, imports, limits, hostile values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from operations.audit import service as audit
from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_zones import fill_zones

Call = Callable[..., TestResponse]
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("indicators-api"), events=0)
    fill_zones(services, events=200)
    return services


def made(call: Call, value: str, **more: Any) -> dict[str, Any]:
    answer = call("POST", "/indicators", json={"value": value, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def bring(call: Call, content: str, **more: Any) -> TestResponse:
    return call("POST", "/indicators/import", json={"origin": "feed", "content": content, **more})


def test_who_reads(call: Call) -> None:
    number = made(call, "198.51.100.1")["id"]
    for path in ("/indicators", f"/indicators/{number}"):
        for key in ("analyst:read", "leader:read", "secadmin:read"):
            assert call("GET", path, as_=key).status_code == 200
        for key in ("sysadmin:write", "auditadmin:write"):
            problem(call("GET", path, as_=key), 403)
        problem(call("GET", path, as_=""), 401)


@pytest.mark.parametrize("key", ["analyst:read", "leader:write", "secadmin:write", "sysadmin:write"])
def test_who_does_not_write(call: Call, services: Services, key: str) -> None:
    for method, path in (
        ("POST", "/indicators"),
        ("POST", "/indicators/import"),
        ("PATCH", "/indicators/1"),
        ("POST", "/indicators/1/revoke"),
    ):
        problem(call(method, path, as_=key, json={}), 403)
        with services.database.read() as session:
            newest = audit.listing(session, limit=1).entries[0]
        assert (newest.action, newest.result) == ("api.denied", "denied")


def test_one_from_its_beginning_to_its_end(call: Call) -> None:
    answer = call("POST", "/indicators", json={"value": "hxxp://A.example/x", "tlp": "amber", "confidence": 80, "note": "n"})
    body, path = answer.get_json(), f"/indicators/{answer.get_json()['id']}"
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert (body["kind"], body["value"], body["origin"], body["state"]) == ("url", "http://a.example/x", "hand", "active")
    problem(call("POST", "/indicators", json={"value": "http://a.example/x"}), 409)
    problem(call("PATCH", path, json={"confidence": 10}), 428)
    problem(call("PATCH", path, json={"confidence": 10}, headers={"If-Match": "old"}), 400)
    problem(call("PATCH", path, json={"confidence": 10}, headers={"If-Match": '"2"'}), 412)
    changed = call("PATCH", path, json={"confidence": 10, "note": "less sure"}, headers={"If-Match": '"1"'})
    assert (changed.get_json()["confidence"], changed.headers["ETag"]) == (10, '"2"')
    problem(call("POST", path + "/revoke", json={"reason": "r"}), 428)
    problem(call("POST", path + "/revoke", json={"reason": "r"}, headers={"If-Match": '"1"'}), 412)
    problem(call("POST", path + "/revoke", json={"reason": " "}, headers={"If-Match": '"2"'}), 422)
    assert call("POST", path + "/revoke", json={"reason": "r"}, headers={"If-Match": '"2"'}).get_json()["state"] == "revoked"
    problem(call("POST", path + "/revoke", json={"reason": "r"}, headers=ANY), 409)
    assert call("GET", path).headers["ETag"] == '"3"'
    assert call("PATCH", path, json={"confidence": 60}, headers=ANY).get_json()["state"] == "active"


@pytest.mark.parametrize("number", ["999999", "9" * 25, "-1", "x"])
def test_what_is_not_there(call: Call, number: str) -> None:
    problem(call("GET", f"/indicators/{number}"), 404)
    for method, path, body in (("PATCH", "", {"confidence": 1}), ("POST", "/revoke", {"reason": "r"})):
        answer = call(method, f"/indicators/{number}{path}", json=body, headers=ANY)
        problem(answer, 405 if len(number) > 19 and answer.status_code == 405 else 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "value"),
        ({"value": ""}, "value"),
        ({"value": 7}, "value"),
        ({"value": "x" * 2049}, "value"),
        ({"value": "evil\ud800.example"}, "value"),
        ({"value": "198.51.100.2", "colour": 1}, "colour"),
        ({"value": "198.51.100.2", "kind": "colour"}, "kind"),
        ({"value": "198.51.100.2", "confidence": 101}, "confidence"),
        ({"value": "198.51.100.2", "confidence": 10**30}, "confidence"),
        ({"value": "198.51.100.2", "tlp": "blue"}, "tlp"),
        ({"value": "198.51.100.2", "valid_until": "soon"}, "valid_until"),
        ({"value": "198.51.100.2", "note": "n" * 501}, "note"),
        ({"value": "198.51.100.2", "reference": "half \udfff"}, "reference"),
    ],
)
def test_a_wrong_body_names_its_field(call: Call, body: dict[str, Any], field: str) -> None:
    assert field in problem(call("POST", "/indicators", json=body), 422)["errors"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("10.60.1.1", ""), ("2001:db8:60::7", ""), ("8.8.8.8", ""), ("203.0.0.0/8", ""), ("2001:db8::/16", ""), ("*.com.cn", ""),
        ("198.51.100.2", "domain"), ("evil.example", "hash"), ("'; DROP TABLE indicators; --", ""), ("a\0.example", ""),
        ("http://user:secret@a.example/", ""), ("http://[::1", "url"), ("198.51.100.2/33", ""), ("fe80::1%eth0", ""),
    ],
)  # fmt: skip
def test_what_must_not_be_watched_for(call: Call, value: str, kind: str) -> None:
    body = problem(call("POST", "/indicators", json={"value": value, "kind": kind}), 422)
    assert "secret@" not in body["detail"]


def test_paging_and_filters(call: Call) -> None:
    values = [f"192.0.2.{number}" for number in range(70)] + [f"2001:db8:99::{number:x}" for number in range(1, 31)]
    assert bring(call, "\n".join(values), origin="paged").get_json()["added"] == 100
    seen, cursor = [], ""
    while True:
        page = call("GET", "/indicators", query={"origin": "paged", "limit": 33, "cursor": cursor}).get_json()
        seen += [one["value"] for one in page["indicators"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == values[::-1]
    for query, count in (
        ({"text": "DB8:99::1"}, 16),
        ({"text": "%"}, 0),
        ({"text": "\0", "origin": "paged"}, 100),
        ({"origin": "paged", "state": "revoked"}, 0),
        ({"origin": "paged", "kind": "network"}, 0),
        ({"origin": "paged", "met": "true"}, 0),
    ):
        assert len(call("GET", "/indicators", query=query | {"limit": 500}).get_json()["indicators"]) == count, query


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"cursor": "9" * 100}, {"kind": "colour"}, {"state": "gone"}, {"colour": 1},
        {"text": "x" * 201}, {"origin": "x" * 65}, {"met": "perhaps"},
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused(call: Call, query: dict[str, Any]) -> None:
    problem(call("GET", "/indicators", query=query), 422)


def test_an_import_is_checked_first_and_then_told(call: Call) -> None:
    content = "198.51.100.10\n2001:db8:10a::/48\n10.0.0.1\n"
    for dry in (True, True, False):
        body = bring(call, content, dry=dry).get_json()
        assert (body["added"], body["same"], body["refused_count"]) == (2, 0, 1)
        assert [(one["place"], one["value"]) for one in body["refused"]] == [("line 3", "10.0.0.1")]
    assert bring(call, content).get_json()["same"] == 2
    taken_back = {"type": "indicator", "id": "indicator--9", "pattern": "[ipv4-addr:value = '198.51.100.10']", "revoked": True}
    bundle = {"type": "bundle", "objects": [taken_back]}
    assert bring(call, json.dumps(bundle)).get_json()["revoked"] == 1
    state = {one["value"]: one["state"] for one in call("GET", "/indicators", query={"origin": "feed"}).get_json()["indicators"]}
    assert (state["198.51.100.10"], state["2001:db8:10a::/48"]) == ("revoked", "active")


def test_of_many_refused_the_first_are_named(call: Call) -> None:
    body = bring(call, "10.0.0.1\n" * 1000).get_json()
    assert (body["refused_count"], len(body["refused"])) == (1000, 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"origin": "feed"}, 422),
        ({"origin": "", "content": "x"}, 422),
        ({"origin": " ", "content": "x"}, 422),
        ({"origin": "hand", "content": "198.51.100.11"}, 422),
        ({"origin": "incident", "content": "198.51.100.11"}, 422),
        ({"origin": "feed", "content": ""}, 422),
        ({"origin": "feed", "content": "{"}, 422),
        ({"origin": "feed", "content": "198.51.100.11", "form": "zip"}, 422),
        ({"origin": "feed", "content": "198.51.100.11", "form": "stix"}, 422),
        ({"origin": "feed", "content": "198.51.100.11", "form": "table"}, 422),
        ({"origin": "feed", "content": "198.51.100.11", "confidence": -1}, 422),
        ({"origin": "feed", "content": "x" * 3_500_001}, 422),
        ({"origin": "feed", "content": "x" * 5_000_000}, 413),
    ],
)
def test_a_wrong_import_is_refused(call: Call, body: dict[str, Any], status: int) -> None:
    problem(call("POST", "/indicators/import", json=body), status)
    assert call("GET", "/indicators", query={"text": "198.51.100.11"}).get_json()["indicators"] == []
