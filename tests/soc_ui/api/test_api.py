"""The REST API as a client sees it: who gets in, what the lists give, what is refused and how it is told."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from crypto.merkle import leaf_hash, verify_consistency, verify_inclusion
from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.accounts import keys
from operations.audit import service as audit
from soc_ui.services import Services
from tests.soc_ui.conftest import log_in, token_of

Call = Callable[..., TestResponse]

READS = [
    ("/me", "leader:read"),
    ("/alerts", "leader:read"),
    ("/alerts/facets", "leader:read"),
    ("/alerts/1", "leader:read"),
    ("/alerts/1/detections", "leader:read"),
    ("/events", "leader:read"),
    ("/events/histogram", "leader:read"),
    ("/events/top?field=event.dataset", "leader:read"),
    ("/events/statistics?field=event.dataset", "leader:read"),
    ("/events/complete?query=proc&at=4", "leader:read"),
    ("/rules", "leader:read"),
    ("/rules/failures", "leader:read"),
    ("/sources", "leader:read"),
    ("/health", "leader:read"),
    ("/webhooks", "sysadmin:write"),
    ("/audit", "auditadmin:read"),
    ("/audit/verification", "auditadmin:read"),
    ("/audit/heads", "auditadmin:read"),
    ("/audit/1/inclusion", "auditadmin:read"),
    ("/audit/consistency?first=1", "auditadmin:read"),
]


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """The body of a problem+json answer with this status."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == status
    assert body["detail"]
    return body


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_events_as_a_file(call: Call, filled: Services, form: str) -> None:
    query = "event.dataset:nginx.access"
    answer = call("GET", "/events/export", as_="analyst:write", query={"query": query, "format": form, "field": ["host.name"]})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
    expected = filled.store.count(parse_query(query), TimeRange())
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert list(rows[0]) == ["@timestamp", "event.id", "host.name"]
    elif form == "jsonl":
        rows = [json.loads(line) for line in answer.data.splitlines()]
    else:
        rows = pyarrow.parquet.read_table(io.BytesIO(answer.data)).to_pylist()
    assert len(rows) == expected > 0
    with filled.database.read() as session:
        entry = audit.listing(session, action="events.export", limit=1).entries[0]
    assert (entry.detail["query"], entry.detail["format"]) == (query, form)


def test_who_may_not_export_gets_no_file(call: Call) -> None:
    problem(call("GET", "/events/export", as_="leader:read"), 403)
    problem(call("GET", "/events/export", as_="analyst:write", query={"query": "("}), 400)
    problem(call("GET", "/events/export", as_="analyst:write", query={"format": "exe"}), 422)


def test_the_description_is_valid_openapi_and_names_every_address(app: APIFlask, call: Call) -> None:
    spec = call("GET", "/openapi.json", as_="").get_json()
    assert "/openapi.json" not in {rule.rule for rule in app.url_map.iter_rules()}  # the framework's own, outside of the API
    OpenAPIV31SpecValidator(spec).validate()
    assert spec["openapi"].startswith("3.1")
    schemas = spec["components"]["schemas"]
    assert not [name for name in schemas if name.endswith("1") or name in ("HTTPError", "ValidationError")]
    described = {(path, method.upper()) for path, item in spec["paths"].items() for method in item}
    served = {
        (rule.rule.replace("<int:", "{").replace("<path:", "{").replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1") and not rule.endpoint.startswith("api_description")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
    assert all(operation.get("security") for item in spec["paths"].values() for operation in item.values())


def test_each_body_is_described_by_its_own_shape_though_classes_of_several_modules_have_one_name(call: Call) -> None:
    spec = call("GET", "/openapi.json", as_="").get_json()

    def fields(path: str) -> set[str]:
        body = spec["paths"][f"/api/v1{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return set(spec["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"])

    assert fields("/incidents/{incident_id}/decision") == {"class_code", "object", "loss", "harm", "level", "reason"}
    assert fields("/questions/{number}/decision") == {"choice", "variables", "comment"}
    assert fields("/compliance/systems/{system_id}/decisions") >= {"kind", "subject", "value"}
    assert fields("/incidents/{incident_id}/merge") == {"other"}
    assert fields("/alerts/merge") == {"lead", "ids", "versions", "note"}


def test_operations_have_names_and_subjects_and_the_address_of_no_caller(call: Call, app: APIFlask) -> None:
    spec = app.test_client().get("/api/v1/openapi.json", headers={"Host": "evil.example"}).get_json()
    every = [operation for item in spec["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in every}) == len(every)
    assert spec["paths"]["/api/v1/incidents/{incident_id}/decision"]["post"]["operationId"] == "incidents_decide"
    assert {tag["name"] for tag in spec["tags"]} == {tag for operation in every for tag in operation["tags"]}
    assert spec["servers"] == call("GET", "/openapi.json", as_="").get_json()["servers"] == [{"url": "/"}]


def test_the_page_of_the_description_loads_nothing_from_elsewhere(call: Call) -> None:
    page = call("GET", "/docs", as_="").text
    assert "/api/v1/alerts/{alert_id}" in page
    loaded = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert [one for one in loaded if not one.startswith("/") and one != "openapi.json"] == []
    assert "<script" not in page


def test_the_page_of_the_description_tells_what_an_address_takes_answers_and_needs(call: Call) -> None:
    page = call("GET", "/docs", as_="").text
    decide = page[page.index('id="incidents_decide"') :].partition("</details>")[0]
    assert "incidents.decide" in decide
    assert "If-Match" in decide
    assert '<a href="#IncidentDecisionIn">IncidentDecisionIn</a>' in decide
    assert "class_code" in decide
    anchors, links = set(re.findall(r' id="([^"]+)"', page)), set(re.findall(r'href="#([^"]+)"', page))
    assert links <= anchors


@pytest.mark.parametrize(("path", "who"), READS)
def test_reads(call: Call, path: str, who: str) -> None:
    answer = call("GET", path, as_=who)
    assert answer.status_code == 200, answer.text
    assert answer.is_json


@pytest.mark.parametrize("path", [path for path, _ in READS])
@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer ldn_wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "x"}]
)
def test_nobody_gets_in_without_a_key(call: Call, path: str, header: dict[str, str]) -> None:
    answer = call("GET", path, as_="", headers=header)
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


WRITES = [
    ("PATCH", "/alerts/1", "analyst:read"),
    ("PATCH", "/alerts/1", "leader:write"),
    ("POST", "/alerts/bulk", "leader:write"),
    ("POST", "/alerts/undo", "analyst:read"),
    ("POST", "/alerts/1/notes", "leader:write"),
    ("POST", "/keys", "leader:write"),
    ("GET", "/webhooks", "analyst:write"),
    ("POST", "/webhooks", "analyst:write"),
    ("POST", "/webhooks", "sysadmin:read"),
    ("DELETE", "/webhooks/1", "analyst:write"),
    ("GET", "/audit", "analyst:write"),
]


@pytest.mark.parametrize(("method", "path", "who"), WRITES)
def test_what_role_or_scope_does_not_allow(call: Call, services: Services, method: str, path: str, who: str) -> None:
    problem(call(method, path, as_=who, json={"nonsense": 1}), 403)  # refused before the body is looked at
    with services.database.read() as session:
        newest = audit.listing(session, limit=1).entries[0]
    if method != "GET":
        assert (newest.action, newest.result, newest.object_id) == ("api.denied", "denied", "/api/v1" + path)


def test_a_session_reads_freely_but_writes_only_with_the_csrf_header(app: APIFlask) -> None:
    browser: FlaskClient = app.test_client()
    log_in(browser)
    assert browser.get("/api/v1/me").get_json()["role"] == "analyst"
    problem(browser.post("/api/v1/alerts/1/notes", json={"note": "x"}), 403)
    token = token_of(browser, "/account")
    assert browser.post("/api/v1/alerts/1/notes", json={"note": "x"}, headers={"X-CSRFToken": token}).status_code == 204
    foreign = {"X-CSRFToken": token, "Origin": "https://evil.example"}
    problem(browser.post("/api/v1/alerts/1/notes", json={"note": "x"}, headers=foreign), 403)


def test_walking_the_list_gives_every_alert_once(call: Call) -> None:
    total = call("GET", "/alerts", query={"count": "true"}).get_json()["total"]
    seen: list[int] = []
    cursor = ""
    while True:
        body = call("GET", "/alerts", query={"limit": 7, "cursor": cursor}).get_json()
        seen += [alert["id"] for alert in body["alerts"]]
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == total > 0


def test_filters_narrow(call: Call) -> None:
    found = call("GET", "/alerts", query={"level": ["high", "critical"], "status": "new", "limit": 500}).get_json()["alerts"]
    assert found
    assert {alert["level"] for alert in found} <= {"high", "critical"}
    host = next(alert["host"] for alert in found if alert["host"])
    for alert in call("GET", "/alerts", query={"entity": f"host:{host}", "limit": 20}).get_json()["alerts"]:
        entities = call("GET", f"/alerts/{alert['id']}").get_json()["entities"]
        assert ("host", host) in {(entity["kind"], entity["value"]) for entity in entities}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"stauts": "new"}, "stauts"),
        ({"status": "nwe"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"start": "yesterday"}, "start"),
        ({"entity": "nonsense"}, "entity"),
        ({"text": "x" * 201}, "text"),
    ],
)
def test_parameters_that_do_not_fit_are_named(call: Call, query: dict[str, str], field: str) -> None:
    assert field in problem(call("GET", "/alerts", query=query), 422)["errors"]


def test_changing_an_alert(call: Call) -> None:
    first = call("GET", "/alerts", query={"status": "new", "limit": 1}).get_json()["alerts"][0]
    path = f"/alerts/{first['id']}"
    tag = call("GET", path).headers["ETag"]
    problem(call("PATCH", path, json={"status": "acknowledged"}), 428)
    problem(call("PATCH", path, json={"status": "acknowledged"}, headers={"If-Match": "nonsense"}), 400)
    changed = call("PATCH", path, as_="analyst:write", json={"status": "acknowledged", "note": "n"}, headers={"If-Match": tag})
    assert changed.get_json()["status"] == "acknowledged"
    assert changed.headers["ETag"] != tag
    problem(call("PATCH", path, json={"status": "in_progress"}, headers={"If-Match": tag}), 412)
    assert call("PATCH", path, json={"status": "in_progress"}, headers={"If-Match": "*"}).status_code == 200
    assert "verdict" in problem(call("PATCH", path, json={"status": "closed"}, headers={"If-Match": "*"}), 422)["errors"]
    history = call("GET", path).get_json()["history"]
    assert [entry["actor"] for entry in history] == ["key:analyst-write (the-analyst)", "key:analyst-write (the-analyst)"]


@pytest.mark.parametrize(
    "body",
    [{"status": "done"}, {"status": 7}, {"id": 3}, {"version": 99}, {"ids": []}, [], "x", {"note": "x" * 10_001}],
)
def test_bodies_that_do_not_fit(call: Call, body: Any) -> None:
    problem(call("PATCH", "/alerts/1", json=body, headers={"If-Match": "*"}), 422)


def test_a_body_that_is_not_json(call: Call) -> None:
    answer = call("PATCH", "/alerts/1", data=b"{", headers={"If-Match": "*", "Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)


def test_bulk_change_and_undo(call: Call) -> None:
    ids = [alert["id"] for alert in call("GET", "/alerts", query={"status": "new", "limit": 3}).get_json()["alerts"]]
    result = call("POST", "/alerts/bulk", json={"ids": [*ids, 999_999_999], "status": "acknowledged"}).get_json()
    assert (result["changed"], result["missing"]) == (3, [999_999_999])
    problem(call("POST", "/alerts/undo", as_="leader:write", json={"batch": result["batch"]}), 403)
    assert call("POST", "/alerts/undo", json={"batch": result["batch"]}).get_json() == {"restored": 3}


def test_the_detections_of_an_alert_lead_to_its_events(call: Call) -> None:
    first = call("GET", "/alerts", query={"limit": 1}).get_json()["alerts"][0]
    detections = call("GET", f"/alerts/{first['id']}/detections").get_json()["detections"]
    assert len(detections) == first["count"]
    event_id = detections[0]["event_ids"][0]
    answer = call("GET", f"/events/{event_id}", query={"near": detections[0]["time"]})
    assert answer.status_code in (200, 404)  # the seed keeps only some events
    if answer.status_code == 200:
        assert answer.get_json()["event"]["event.id"] == event_id


ABSENT = ["/alerts/999999999", "/alerts/999999999/detections", "/events/nothing", "/rules/nothing", "/webhooks/9", "/nowhere"]


@pytest.mark.parametrize("path", ABSENT)
def test_what_is_not_there(call: Call, path: str) -> None:
    problem(call("GET", path), 404)


def test_a_method_that_is_not_served(call: Call) -> None:
    answer = call("PUT", "/alerts")
    problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_event_search_pages_and_is_audited(call: Call, services: Services) -> None:
    first = call("GET", "/events", query={"query": "*", "limit": 5, "field": ["*"]}).get_json()
    second = call("GET", "/events", query={"query": "*", "limit": 5, "field": ["*"], "cursor": first["next_cursor"]}).get_json()
    ids = [event["event.id"] for page in (first, second) for event in page["events"]]
    assert len(set(ids)) == 10
    with services.database.read() as session:
        entries = audit.listing(session, action="events.search", limit=10).entries
    assert entries[0].detail["query"] == "*"


def test_a_wrong_query_says_where(call: Call) -> None:
    body = problem(call("GET", "/events", query={"query": "process.name:(a"}), 400)
    assert isinstance(body["position"], int)


def test_a_field_is_described_and_the_look_is_audited(call: Call, services: Services) -> None:
    asked = {"query": "process.name:*", "field": "process.name"}
    told = call("GET", "/events/statistics", query=asked).get_json()
    top = call("GET", "/events/top", query=asked | {"limit": 1000}).get_json()["buckets"]
    assert told["present"] == told["events"] == services.store.count(parse_query("process.name:*"), TimeRange())
    assert (told["distinct"], told["minimum"]) == (len(top), None)
    ports = call("GET", "/events/statistics", query={"field": "destination.port"}).get_json()
    assert 0 < ports["minimum"] <= ports["average"] <= ports["maximum"] <= 65535
    with services.database.read() as session:
        entries = audit.listing(session, action="events.top", limit=3).entries
    assert {"query": "process.name:*", "field": "process.name"}.items() <= entries[-1].detail.items()
    problem(call("GET", "/events/statistics", query={"query": "a:(", "field": "a"}), 400)
    problem(call("GET", "/events/statistics"), 422)


def test_a_query_is_completed(call: Call, services: Services) -> None:
    fields = call("GET", "/events/complete", query={"query": "process.na", "at": 10}).get_json()["suggestions"]
    assert (fields[0]["insert"], fields[0]["kind"], fields[0]["start"], fields[0]["end"]) == ("process.name:", "field", 0, 10)
    values = call("GET", "/events/complete", query={"query": "process.name:sv", "at": 15}).get_json()["suggestions"]
    assert [one["label"] for one in values] == ["svchost.exe"]
    long_ago = {"query": "process.name:sv", "at": 15, "end": "2001-01-01T00:00:00Z"}
    assert call("GET", "/events/complete", query=long_ago).get_json()["suggestions"] == []
    with services.database.read() as session:
        assert audit.listing(session, action="events.top", limit=1).entries[0].detail["field"] == "process.name"
    problem(call("GET", "/events/complete", query={"query": "a", "at": -1}), 422)


def test_keys(app: APIFlask, call: Call, services: Services) -> None:
    problem(call("POST", "/keys", json={"name": "more"}), 403)  # a key makes no keys
    browser: FlaskClient = app.test_client()
    log_in(browser)
    headers = {"X-CSRFToken": token_of(browser, "/account")}
    made = browser.post("/api/v1/keys", json={"name": "backup", "scope": "read", "days": 7}, headers=headers)
    assert made.status_code == 201
    body = made.get_json()
    fresh = {"Authorization": f"Bearer {body['key']}"}
    assert call("GET", "/me", as_="", headers=fresh).get_json()["scope"] == "read"
    listed = browser.get("/api/v1/keys").get_json()["keys"]
    assert body["key"] not in str(listed)
    assert browser.delete(f"/api/v1/keys/{body['id']}", headers=headers).status_code == 204
    problem(call("GET", "/me", as_="", headers=fresh), 401)
    assert keys.principal_of_key(services.database, body["key"]) is None


def test_webhooks(call: Call) -> None:
    problem(call("POST", "/webhooks", json={"name": "x", "url": "http://169.254.169.254/"}), 422)
    made = call("POST", "/webhooks", json={"name": "x", "url": "http://127.0.0.1:9/"})
    assert made.status_code == 201
    body = made.get_json()
    assert body["secret"].startswith("whsec_")
    path = f"/webhooks/{body['id']}"
    got = call("GET", path)
    assert "secret" not in got.get_json()
    changed = call("PATCH", path, json={"min_level": "critical"}, headers={"If-Match": got.headers["ETag"]})
    assert changed.get_json()["min_level"] == "critical"
    problem(call("PATCH", path, json={"enabled": False}, headers={"If-Match": got.headers["ETag"]}), 412)
    delivery = call("POST", path + "/test").get_json()["delivery_id"]
    assert [row["id"] for row in call("GET", path + "/deliveries").get_json()["deliveries"]] == [delivery]
    assert call("GET", f"/webhooks/deliveries/{delivery}/attempts").get_json() == {"attempts": []}
    assert call("POST", f"/webhooks/deliveries/{delivery}/replay").status_code == 202
    assert call("POST", path + "/secret").get_json()["secret"] != body["secret"]
    assert call("DELETE", path).status_code == 204
    problem(call("GET", path), 404)


def test_proofs_hold_against_the_root_that_the_heads_name(call: Call) -> None:
    root = call("GET", "/audit/heads").get_json()["tree"]
    proof = call("GET", "/audit/2/inclusion", query={"size": root["size"]}).get_json()
    assert proof["root"] == root["root"]
    path = [bytes.fromhex(step) for step in proof["path"]]
    leaf = leaf_hash(proof["entry"].encode())
    assert verify_inclusion(leaf, 1, root["size"], path, bytes.fromhex(root["root"]))
    grown = call("GET", "/audit/consistency", query={"first": 3, "second": root["size"]}).get_json()
    steps = [bytes.fromhex(step) for step in grown["path"]]
    assert verify_consistency(3, root["size"], *(bytes.fromhex(grown[name]) for name in ("first_root", "second_root")), steps)
    problem(call("GET", "/audit/99999999/inclusion"), 404)
    problem(call("GET", "/audit/consistency", query={"first": 5, "second": 4}), 422)
    problem(call("GET", "/audit/verification", query={"since": 1}), 404)


def test_every_write_left_a_row_and_the_chain_holds(call: Call) -> None:
    actions = {entry["action"] for entry in call("GET", "/audit", query={"limit": 500}).get_json()["entries"]}
    assert {
        "alert.change",
        "alert.bulk_change",
        "alert.undo",
        "alert.note",
        "key.create",
        "webhook.create",
        "webhook.delete",
    } <= actions
    assert call("GET", "/audit/verification").get_json()["ok"] is True


def test_rules_are_paged(call: Call, services: Services) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        body = call("GET", "/rules", query={"limit": 2, "cursor": cursor}).get_json()
        seen += [rule["id"] for rule in body["rules"]]
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert seen == sorted(rule.id for rule in services.rules().rules)
    assert call("GET", f"/rules/{seen[0]}").get_json()["id"] == seen[0]


def test_a_fault_of_ours_is_told_without_details(app: APIFlask, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soc_ui.api.alerts.service.list_alerts", lambda *_, **__: 1 / 0)
    body = problem(call("GET", "/alerts"), 500)
    assert "division" not in str(body)


BIG = "9" * 25


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/alerts/{BIG}", 404),
        (f"/alerts?cursor=2026-11-23T04:00:00.000000Z~{BIG[:19]}", 422),
        ("/audit?cursor=²", 422),
        (f"/audit?cursor={BIG}", 422),
        (f"/webhooks/{BIG}", 404),
        (f"/webhooks/deliveries/{BIG}/attempts", 404),
    ],
)
def test_numbers_that_no_row_can_have(call: Call, path: str, status: int) -> None:
    problem(call("GET", path), status)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/alerts/bulk", {"ids": [int(BIG)], "status": "acknowledged"}),
        ("/alerts/bulk", {"ids": [1], "assignee": "\ud800"}),
        ("/alerts/undo", {"batch": "\ud800" * 32}),
        ("/webhooks", {"name": "\ud800", "url": "https://example.com/"}),
        ("/webhooks", {"name": "x", "url": "https://example.com/\ud800"}),
    ],
)
def test_values_that_no_database_can_keep(call: Call, path: str, body: Any) -> None:
    problem(call("POST", path, data=json.dumps(body), content_type="application/json"), 422)


def test_a_body_nested_without_end(call: Call) -> None:
    problem(call("POST", "/alerts/bulk", data="[" * 200_000, content_type="application/json"), 400)


def test_a_made_up_cursor_is_no_way_around_the_audit_trail(call: Call, services: Services) -> None:
    cursor = call("GET", "/events", query={"query": "*", "limit": 1}).get_json()["next_cursor"]
    call("GET", "/events", query={"query": "user.name:root", "cursor": cursor})
    call("GET", "/events/histogram", query={"query": "user.name:zhang.wei"})
    with services.database.read() as session:
        asked = [entry.detail["query"] for entry in audit.listing(session, action="events.search", limit=2).entries]
    assert asked == ["user.name:zhang.wei", "user.name:root"]


def test_an_act_on_all_that_match_is_shown_started_and_taken_back(call: Call) -> None:
    where = {"status": ["new"]}
    whole = call("GET", "/alerts", query={"status": "new", "count": "true"}).get_json()["total"]
    made = call("POST", "/alerts/bulks", json={"filter": where, "status": "acknowledged", "note": "storm"})
    assert made.status_code == 201
    bulk, preview = made.get_json()["bulk"], made.get_json()["preview"]
    assert (bulk["state"], bulk["total"], preview["total"]) == ("draft", whole, whole)
    place = f"/alerts/bulks/{bulk['id']}"
    problem(call("GET", place, as_="leader:write"), 403)
    problem(call("POST", "/alerts/bulks", json={"status": "acknowledged"}), 422)
    problem(call("POST", "/alerts/bulks", json={"filter": where, "status": "acknowledged", "owner": "x"}), 422)
    assert call("POST", place + "/start").status_code == 202
    assert _ended(call, place)["changed"] == whole
    problem(call("POST", place + "/start"), 409)
    undo = call("POST", place + "/undo").get_json()
    assert _ended(call, f"/alerts/bulks/{undo['id']}")["changed"] == whole


def _ended(call: Call, place: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (bulk := call("GET", place).get_json())["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return dict(bulk)
