"""Targets of daily probes through the REST API: entered, changed, run, read; and what nobody else may."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from werkzeug.test import TestResponse

from compliance.probes.target import Target
from compliance.probing import bringing
from compliance.probing.files import ReportFile, file_way
from compliance.probing.running import run_due
from compliance.probing.schema import TargetRecord
from compliance.systems import objects
from compliance.systems import service as systems
from compliance.systems.schema import ObjectDraft, SystemDraft
from crypto.sm3 import sm3
from operations.accounts import service as accounts
from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.crypto.channel.authority import Authority
from tests.soc_ui.api.test_api import problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import PASSWORD, fill

Call = Callable[..., TestResponse]
BASE, SEC = "/compliance/targets", "secadmin:write"
WHO = Principal(0, "sec", "", "secadmin")
DEVICES = Path(__file__).parents[2] / "compliance" / "probes" / "devices"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    return fill(tmp_path_factory.mktemp("targets-api"), events=0)


@pytest.fixture(scope="module")
def switch(filled: Services) -> tuple[int, int]:
    """A system and a device of it."""
    with filled.database.write() as session:
        system = systems.create_system(session, WHO, SystemDraft("接口系统", "S3A3")).id
        return system, objects.add_object(session, WHO, system, ObjectDraft("network_device", "sw-1")).id


@pytest.fixture(scope="module")
def secadmin(services: Services) -> str:
    return accounts.create_user(services.database, SYSTEM, "pt.secadmin", PASSWORD, "secadmin").name


@pytest.fixture
def person(app: APIFlask, secadmin: str) -> Call:
    """The security administrator with a session and its CSRF header, as a page of ours would."""
    browser = browser_of(app, secadmin)
    token = token_of(browser, "/account")

    def request(method: str, path: str, headers: Any = None, **more: Any) -> TestResponse:
        return browser.open("/api/v1" + path, method=method, headers={"X-CSRFToken": token, **(headers or {})}, **more)

    return request


def look(services: Services) -> None:
    """What the scheduler does every minute, for files that were brought."""
    key = services.master_key
    assert key is not None

    def way_to(target: TargetRecord) -> Target | ReportFile:
        return file_way(target, lambda: bringing.brought(services.database, key, target.id), 35)

    run_due(services.database, key, way_to)


def test_from_entering_to_results(call: Call, services: Services, switch: tuple[int, int]) -> None:
    system, device = switch
    made = call("POST", BASE, as_=SEC, json={"system_id": system, "object_id": device, "way": "huawei-config"})
    assert made.status_code == 201, made.get_json()
    path = f"{BASE}/{made.get_json()['id']}"
    problem(call("GET", f"{path}/results", as_=SEC), 404)
    content = (DEVICES / "huawei-weak.cfg").read_bytes()
    sent = call("PUT", f"{path}/file", as_=SEC, data={"file": (io.BytesIO(content), "sw-1.cfg")})
    assert (sent.status_code, sent.get_json()["sm3"]) == (200, sm3(content).hex())
    look(services)
    told = call("GET", path, as_=SEC)
    assert (told.get_json()["error"], told.get_json()["file"]["name"]) == ("", "sw-1.cfg")
    assert told.headers["ETag"] == '"1"', "what came of it is no other version"
    first = call("GET", f"{path}/results", as_=SEC, query={"limit": 5}).get_json()
    rest = call("GET", f"{path}/results", as_=SEC, query={"limit": 500, "cursor": first["next_cursor"]}).get_json()
    probes = [one["probe"] for one in first["results"] + rest["results"]]
    assert len(first["results"]) == 5
    assert len(set(probes)) == len(probes) > 10
    assert rest["next_cursor"] == ""
    assert "not_met" in {one["outcome"] for one in rest["results"]}
    assert first["read_at"] == told.get_json()["read_at"]
    assert "Huawei@123" not in str(first) + str(rest), "a password of the device"
    with services.database.read() as session:
        query = select(AuditEntry.actor).where(AuditEntry.action == "probe_evidence.open")
        assert len(session.execute(query).all()) == 2
    problem(call("GET", f"{path}/results", as_=SEC, query={"cursor": "x"}), 422)


def test_changes_on_a_version(person: Call, switch: tuple[int, int]) -> None:
    system, device = switch
    body = {"system_id": system, "object_id": device, "way": "ssh", "place": "h1:2222", "login": "audit", "secret": "ops-key"}
    made = person("POST", BASE, json=body)
    assert made.status_code == 201
    problem(person("POST", BASE, json=body), 409)
    path, tag = f"{BASE}/{made.get_json()['id']}", {"If-Match": made.headers["ETag"]}
    other = {**body, "place": "h2", "enabled": True}
    problem(person("PUT", path, json=other), 428)
    problem(person("PUT", path, json={**other, "way": "local", "place": "", "login": "", "secret": ""}, headers=tag), 422)
    changed = person("PUT", path, json=other, headers=tag)
    assert (changed.status_code, changed.get_json()["place"], changed.headers["ETag"]) == (200, "h2", '"2"')
    problem(person("PUT", path, json=other, headers=tag), 412)
    problem(person("DELETE", path, headers=tag), 412)
    tag = {"If-Match": changed.headers["ETag"]}
    paused = person("PUT", path, json={**other, "enabled": False}, headers=tag)
    assert not paused.get_json()["enabled"]
    problem(person("POST", f"{path}/runs"), 409)
    tag = {"If-Match": paused.headers["ETag"]}
    again = person("PUT", path, json=other, headers=tag)
    hastened = person("POST", f"{path}/runs")
    assert (hastened.status_code, hastened.get_json()["version"]) == (202, again.get_json()["version"])
    problem(person("DELETE", path), 428)
    assert person("DELETE", path, headers={"If-Match": again.headers["ETag"]}).status_code == 204
    problem(person("GET", path), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"way": "file"},
        {"way": "huawei-config", "place": "/etc/passwd"},
        {"way": "huawei-config", "place": "../../etc/passwd"},
        {"way": "tls", "place": "http://10.0.0.1/"},
        {"way": "tls", "place": "gw.example.cn:443", "ca": "/etc/ssl/ca.pem"},
        {"way": "ssh", "place": "h1", "login": "audit", "secret": "-----BEGIN PRIVATE KEY-----"},
        {"way": "local", "misspelt": 1},
        {"way": "local", "object_id": -1},
    ],
)
def test_what_is_refused(person: Call, switch: tuple[int, int], wrong: dict[str, object]) -> None:
    problem(person("POST", BASE, json={"system_id": switch[0], **wrong}), 422)


def test_an_endpoint_with_an_authority_of_its_own(person: Call, switch: tuple[int, int], tmp_path: Path) -> None:
    pem = Authority(tmp_path / "authority").certificate.read_text()
    body = {"system_id": switch[0], "way": "tls", "place": "gw.example.cn:443", "ca": pem}
    assert person("POST", BASE, json=body).get_json()["ca"] == pem


def test_pages(call: Call, person: Call, switch: tuple[int, int]) -> None:
    for number in range(3):
        person("POST", BASE, json={"system_id": switch[0], "way": "tls", "place": f"page{number}.example.cn:443"})
    whole = call("GET", BASE, as_=SEC, query={"system": switch[0], "limit": 500}).get_json()["targets"]
    first = call("GET", BASE, as_=SEC, query={"system": switch[0], "limit": 2}).get_json()
    rest = call("GET", BASE, as_=SEC, query={"limit": 500, "cursor": first["next_cursor"]}).get_json()
    assert [one["id"] for one in first["targets"] + rest["targets"]] == [one["id"] for one in whole]
    problem(call("GET", BASE, as_=SEC, query={"system": 4711}), 404)
    problem(call("GET", BASE, as_=SEC, query={"misspelt": "1"}), 422)
    problem(call("GET", BASE, as_=SEC, query={"cursor": "x"}), 422)


@pytest.mark.parametrize("who", ["sysadmin:write", "auditadmin:write", "analyst:write", "leader:write", "secadmin:read"])
def test_nobody_else_names_addresses_and_files(call: Call, switch: tuple[int, int], who: str) -> None:
    body = {"system_id": switch[0], "way": "tls", "place": "gw.example.cn:8443"}
    for answer in (call("POST", BASE, as_=who, json=body), call("GET", BASE, as_=who), call("POST", f"{BASE}/1/runs", as_=who)):
        problem(answer, 403)


@pytest.mark.parametrize(
    "way",
    [
        {"way": "tls", "place": "10.0.0.1:6379"},
        {"way": "ssh", "place": "h9", "login": "root", "secret": "ops-key"},
        {"way": "postgresql", "secret": "city-db"},
    ],
)
def test_a_key_names_no_address_and_no_secret(
    call: Call, person: Call, services: Services, switch: tuple[int, int], way: dict[str, str]
) -> None:
    body = {"system_id": switch[0], "object_id": switch[1], **way}
    problem(call("POST", BASE, as_=SEC, json=body), 403)
    with services.database.read() as session:
        denied = session.execute(select(AuditEntry.actor).where(AuditEntry.action == "api.denied")).scalars().all()
    assert any(actor.startswith("key:") for actor in denied)
    made = person("POST", BASE, json=body)
    assert made.status_code == 201
    path, anyhow = f"{BASE}/{made.get_json()['id']}", {"If-Match": "*"}
    problem(call("PUT", path, as_=SEC, json={**body, "enabled": True}, headers=anyhow), 403)
    assert call("POST", f"{path}/runs", as_=SEC).status_code == 202
    assert call("DELETE", path, as_=SEC, headers=anyhow).status_code == 204


def test_a_session_without_its_token_changes_nothing(app: APIFlask, secadmin: str, switch: tuple[int, int]) -> None:
    browser = browser_of(app, secadmin)
    problem(browser.post(f"/api/v1{BASE}", json={"system_id": switch[0], "way": "local"}), 403)


def test_without_a_master_key_nothing_is_opened(app: APIFlask, call: Call, switch: tuple[int, int]) -> None:
    whole: Services = app.extensions["liandun"]
    key, whole.master_key = whole.master_key, None
    try:
        problem(call("GET", f"{BASE}/1/results", as_=SEC), 503)
    finally:
        whole.master_key = key


def test_the_openapi_document_has_it(call: Call) -> None:
    paths = call("GET", "/openapi.json", as_=SEC).get_json()["paths"]
    found = {path: sorted(said) for path, said in paths.items() if path.startswith("/api/v1/compliance/targets")}
    one = "/api/v1/compliance/targets/{target_id}"
    assert {path: [verb for verb in said if verb != "parameters"] for path, said in found.items()} == {
        "/api/v1/compliance/targets": ["get", "post"],
        one: ["delete", "get", "put"],
        f"{one}/file": ["put"],
        f"{one}/results": ["get"],
        f"{one}/runs": ["post"],
    }
