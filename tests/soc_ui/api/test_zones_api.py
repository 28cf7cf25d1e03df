"""Zones, conduits, crossings, the plan and assets through the REST API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from kernel.zones.plan import read_plan
from operations.audit import service as audit
from operations.zones import service
from soc_ui.services import Services
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_zones import TRAFFIC, ZONES, fill_zones

Call = Callable[..., TestResponse]
NEW = {"If-None-Match": "*"}
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("zones-api"), events=0)
    fill_zones(services, events=1500)
    return services


READS = ["/zones", "/zones/water-ot", "/conduits", "/conduits/logs", "/crossings", "/zoneplan", "/assets", "/assets/water-ot-01"]


@pytest.mark.parametrize("path", READS)
def test_everybody_with_a_key_reads_and_nobody_without(call: Call, path: str) -> None:
    assert call("GET", path, as_="leader:read").status_code == 200
    problem(call("GET", path, as_=""), 401)


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("PUT", "/zones/water-ot", "analyst:write"),
        ("DELETE", "/zones/water-ot", "secadmin:read"),
        ("PUT", "/conduits/logs", "analyst:write"),
        ("DELETE", "/conduits/logs", "leader:write"),
        ("PUT", "/zoneplan", "analyst:write"),
        ("PUT", "/assets/x", "leader:write"),
        ("PATCH", "/assets/water-ot-01", "analyst:read"),
        ("DELETE", "/assets/water-ot-01", "leader:write"),
    ],
)
def test_writes_need_role_and_scope(call: Call, services: Services, method: str, path: str, who: str) -> None:
    problem(call(method, path, as_=who, json={}), 403)
    with services.database.read() as session:
        newest = audit.listing(session, limit=1).entries[0]
    assert (newest.action, newest.result) == ("api.denied", "denied")


def test_zones_are_made_changed_and_deleted(call: Call) -> None:
    assert len(call("GET", "/zones").get_json()["zones"]) == len(ZONES)
    body = {"name": "测试", "layer": "cloud", "ranges": ["10.99.0.0/16", "2001:db8:99::/48"], "vlans": [99]}
    problem(call("PUT", "/zones/test", json=body), 428)
    problem(call("PUT", "/zones/test", json=body, headers=ANY), 404)
    made = call("PUT", "/zones/test", json=body, headers=NEW)
    assert made.status_code == 201
    assert made.get_json()["importance"] == 3
    problem(call("PUT", "/zones/test", json=body, headers=NEW), 409)
    tag = call("GET", "/zones/test").headers["ETag"]
    changed = call("PUT", "/zones/test", json=body | {"owner": "x"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.get_json()["owner"]) == (200, "x")
    problem(call("PUT", "/zones/test", json=body, headers={"If-Match": tag}), 412)
    problem(call("PUT", "/zones/test", json=body | {"ranges": ["10.60.0.0/16"]}, headers=ANY), 422)
    assert "layer" in problem(call("PUT", "/zones/test", json=body | {"layer": "moon"}, headers=ANY), 422)["errors"]
    assert call("DELETE", "/zones/test").status_code == 204
    problem(call("GET", "/zones/test"), 404)
    problem(call("DELETE", "/zones/data-platform"), 422)
    problem(call("PUT", "/zones/UPPER", json=body, headers=NEW), 422)


def test_conduits_are_made_changed_and_deleted(call: Call) -> None:
    states = {one["id"]: one["state"] for one in call("GET", "/conduits").get_json()["conduits"]}
    assert (states["health-stream"], states["bureaus-cloud"], states["finance-data"]) == ("expired", "expiring", "pending")
    assert [one["id"] for one in call("GET", "/conduits", query={"state": "expired"}).get_json()["conduits"]] == ["health-stream"]
    body = {"from": ["gov-cloud"], "to": ["*"], "services": ["tcp/8443"], "until": "2099-01-01T00:00:00+08:00"}
    made = call("PUT", "/conduits/api", json=body, headers=NEW)
    assert made.status_code == 201
    assert made.get_json()["until"] == "2098-12-31T16:00:00.000000Z"
    assert made.get_json()["from"] == ["gov-cloud"]
    problem(call("PUT", "/conduits/api", json=body | {"to": ["moon"]}, headers=ANY), 422)
    assert "until" in problem(call("PUT", "/conduits/api", json=body | {"until": "soon"}, headers=ANY), 422)["errors"]
    problem(call("PUT", "/conduits/api", json=body, headers={"If-Match": '"99"'}), 412)
    assert call("PUT", "/conduits/api", json=body | {"reason": "r"}, headers={"If-Match": made.headers["ETag"]}).status_code == 200
    assert call("DELETE", "/conduits/api").status_code == 204
    problem(call("DELETE", "/conduits/api"), 404)


def test_crossings_are_the_numbers_of_the_store(call: Call, services: Services) -> None:
    body = call("GET", "/crossings").get_json()
    assert {(one["from"], one["to"]) for one in body["crossings"]} == {(source, target) for source, target, *_ in TRAFFIC}
    for verdict in ("permitted", "denied", "expired"):
        stored = services.store.count(parse_query(f"zone.verdict:{verdict}"), TimeRange())
        assert sum(one[verdict] for one in body["crossings"]) == stored > 0
    assert body["incomplete"] is False
    assert call("GET", "/crossings", query={"end": "2000-01-01T00:00:00Z"}).get_json()["crossings"] == []
    assert "last" in problem(call("GET", "/crossings", query={"last": "24h"}), 422)["errors"]


def test_the_plan_goes_out_and_in_and_mistakes_name_their_lines(call: Call, services: Services) -> None:
    text = call("GET", "/zoneplan").get_json()["plan"]
    with services.database.read() as session:
        before = service.read(session)
    assert read_plan(text) == before
    assert call("PUT", "/zoneplan", json={"plan": text}, headers=ANY).get_json()["removed"] == 0
    wrong = "zones:\n  - {id: a, name: A, layer: moon}\n  - {id: b}\n"
    told = problem(call("PUT", "/zoneplan", json={"plan": wrong, "replace": True}, headers=ANY), 422)["errors"]["plan"]
    assert [line.split(":")[1] for line in told] == ["3", "2"]
    clash = "zones:\n  - {id: a, name: A, layer: cloud, ranges: [10.60.0.0/16]}\n"
    for check in (True, False):
        told = problem(call("PUT", "/zoneplan", json={"plan": clash, "check": check}, headers=ANY), 422)["errors"]["plan"]
        assert told == ["plan:2: zone a: range 10.60.0.0/16 belongs to water-ot already"]
    with services.database.read() as session:
        assert service.read(session) == before


def test_a_check_tells_what_would_be_done_and_does_nothing(call: Call, services: Services) -> None:
    with services.database.read() as session:
        before, revision = service.read(session), service.current(session)[0]
    sound = "zones:\n  - {id: a, name: A, layer: cloud}\n"
    answer = call("PUT", "/zoneplan", json={"plan": sound, "replace": True, "check": True})
    told = answer.get_json()
    assert (told["zones"], told["made"], told["changed"]) == (1, 1, 0)
    assert told["removed"] == len(before.zones) + len(before.conduits)
    assert told["changes"][0]["act"] == "remove"
    assert told["changes"][-1] == {"act": "make", "kind": "zone", "id": "a", "fields": []}
    assert answer.headers["ETag"] == f'"{revision}"'
    other = next(zone for zone in before.zones if zone.id == "water-ot")
    changed = f"zones:\n  - {{id: water-ot, name: 水, layer: perception, ranges: [{', '.join(map(repr, other.ranges))}]}}\n"
    change = call("PUT", "/zoneplan", json={"plan": changed, "check": True}).get_json()["changes"][0]
    assert (change["act"], change["id"], "name" in change["fields"]) == ("change", "water-ot", True)
    with services.database.read() as session:
        assert (service.read(session), service.current(session)[0]) == (before, revision)


def test_a_part_of_a_plan_may_name_zones_that_stand(call: Call) -> None:
    part = "conduits: [{id: part, from: egov-extranet, to: data-platform, services: https}]"
    assert call("PUT", "/zoneplan", json={"plan": part}, headers=ANY).get_json()["made"] == 1
    assert call("GET", "/conduits/part").get_json()["to"] == ["data-platform"]
    assert call("DELETE", "/conduits/part").status_code == 204


def test_a_plan_does_not_go_over_what_somebody_changed_since(call: Call) -> None:
    read = call("GET", "/zoneplan")
    text, tag = read.get_json()["plan"], read.headers["ETag"]
    assert text.startswith(f"revision: {tag.strip(chr(34))}\n")
    problem(call("PUT", "/zoneplan", json={"plan": text}), 428)
    zone = call("GET", "/zones/water-ot").get_json()
    body = {key: value for key, value in zone.items() if key not in ("id", "changed_at", "changed_by", "version")}
    assert call("PUT", "/zones/water-ot", json=body | {"owner": "somebody else"}, headers=ANY).status_code == 200
    for stale in (tag, '"999999"'):
        for check in (True, False):
            problem(call("PUT", "/zoneplan", json={"plan": text, "check": check}, headers={"If-Match": stale}), 412)
    assert call("GET", "/zones/water-ot").get_json()["owner"] == "somebody else"
    problem(call("PUT", "/zoneplan", json={"plan": text}, headers={"If-Match": "x"}), 400)
    fresh = call("GET", "/zoneplan").headers["ETag"]
    done = call("PUT", "/zoneplan", json={"plan": text}, headers={"If-Match": fresh})
    assert (done.status_code, done.get_json()["changed"]) == (200, 1)
    assert done.headers["ETag"] == call("GET", "/zoneplan").headers["ETag"] != fresh
    assert call("GET", "/zones/water-ot").get_json()["owner"] == zone["owner"]


@pytest.mark.parametrize(
    "text",
    [
        "x0: &a [z]\nzones: [{id: *a, name: b}]",
        "zones: [{id: !!int ''}]",
        "zones: [{id: !!bool foo}]",
        "zones: [{id: !!float ''}]",
        "zones: [{id: !!timestamp foo}]",
        'zones: [{id: a, name: "\\ud800", layer: cloud}]',
        'assets: [{id: "a\\ud800"}]',
        'zones: [{id: a, name: "a\\0b", layer: cloud}]',
        "zones: [{id: a, name: " + "W" * 300_000 + ", layer: cloud}]",
        'assets: [{id: "a\\nb"}]',
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_hostile_plan_is_told_what_is_wrong_at_its_line(call: Call, text: str, check: bool) -> None:
    told = problem(call("PUT", "/zoneplan", json={"plan": text, "check": check}, headers=ANY), 422)["errors"]["plan"]
    assert all(line.startswith("plan:1: ") and len(line) < 300 for line in told)


def test_assets_are_listed_registered_retired_and_forgotten(call: Call) -> None:
    total = call("GET", "/assets", query={"count": "true"}).get_json()["total"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = call("GET", "/assets", query={"limit": 7, "cursor": cursor, "sort": "key"}).get_json()
        seen += [asset["key"] for asset in page["assets"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == total
    assert seen == sorted(set(seen))
    found = call("GET", "/assets", query={"status": "observed", "zone": "water-ot", "text": "laptop"}).get_json()["assets"]
    assert {asset["status"] for asset in found} == {"observed"}
    stranger = found[0]
    body: dict[str, Any] = {
        "name": "维护机",
        "kind": "workstation",
        "addresses": stranger["addresses"],
        "macs": ["a4:11:62:0b:7c:09"],
    }
    made = call("PUT", "/assets/wtr/laptop 1", as_="analyst:write", json=body, headers=NEW)
    assert made.status_code == 201, made.text
    assert (made.get_json()["zone"], made.get_json()["macs"]) == ("water-ot", ["A4-11-62-0B-7C-09"])
    problem(call("GET", f"/assets/{stranger['key']}"), 404)  # it has become the registered one
    path = "/assets/wtr/laptop 1"
    problem(call("PUT", path, json=body, headers=NEW), 409)
    problem(call("PUT", path, json=body, headers={"If-Match": '"77"'}), 412)
    assert call("PUT", path, json=body | {"importance": 5}, headers={"If-Match": made.headers["ETag"]}).status_code == 200
    problem(call("PUT", path, json=body | {"addresses": ["10.60.0.102"]}, headers=ANY), 409)
    problem(call("PUT", path, json=body | {"addresses": ["x"]}, headers=ANY), 422)
    problem(call("DELETE", path), 422)
    retire = {"status": "retired", "note": "n"}
    tag = call("GET", path).headers["ETag"]
    problem(call("PATCH", path, json=retire), 428)
    problem(call("PATCH", path, json=retire, headers={"If-Match": "nonsense"}), 400)
    problem(call("PATCH", path, json=retire, headers={"If-Match": made.headers["ETag"]}), 412)
    retired = call("PATCH", path, json=retire, headers={"If-Match": tag})
    assert retired.get_json()["status"] == "retired"
    assert retired.headers["ETag"] == call("GET", path).headers["ETag"] != tag
    problem(call("PATCH", path, json={"status": "registered"}, headers={"If-Match": tag}), 412)
    assert call("DELETE", path).status_code == 204
    problem(call("GET", path), 404)


@pytest.mark.parametrize("key", ["a//b", "a/../b", "%", "摄像机", "x" * 128, "a b?c"])
def test_keys_of_any_text(call: Call, key: str) -> None:
    path = f"/assets/{quote(key, safe='/')}"
    assert call("PUT", path, json={}, headers=NEW).status_code == 201
    assert call("GET", path).get_json()["key"] == key
    problem(call("PUT", "/assets/" + "y" * 129, json={}, headers=NEW), 422)


@pytest.mark.parametrize("query", [{"sort": "password"}, {"status": "lost"}, {"zoen": "x"}, {"limit": "501"}, {"cursor": "x"}])
def test_parameters_that_do_not_fit_are_named(call: Call, query: dict[str, str]) -> None:
    assert next(iter(query)) in problem(call("GET", "/assets", query=query), 422)["errors"]


def test_every_write_is_in_the_audit_trail(call: Call) -> None:
    actions = {entry["action"] for entry in call("GET", "/audit", query={"limit": 500}).get_json()["entries"]}
    assert {
        *("zone.create", "zone.change", "zone.delete", "zone.import", "zone.export"),
        *("conduit.create", "conduit.change", "conduit.delete", "asset.register", "asset.retired", "asset.forget"),
    } <= actions
