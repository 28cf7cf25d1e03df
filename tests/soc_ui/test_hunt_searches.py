"""Pages and API of saved searches and Sigma drafts: the way of an analyst, foreign eyes, hostile texts."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import PASSWORD, fill

EVIL = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("searches"), events=60)
    create_user(services.database, SYSTEM, "other", PASSWORD, "analyst")
    create_user(services.database, SYSTEM, "water", PASSWORD, "analyst", reach=Reach(zones=("water-ot",)))
    return services


def kept(client: FlaskClient, name: str, query: str = "host.name:srv*", **more: str) -> str:
    """The address of a search that was saved from the hunt page."""
    answer = post(client, "/hunt/searches", {"q": query, "last": "7d", "name": name, **more})
    assert answer.status_code == 302, answer.text
    page = client.get("/hunt/searches").text
    found = re.findall(r'href="(/hunt/searches/\d+)">' + re.escape(name), page)
    assert found, page
    return str(found[0])


def version(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', client.get(address).text)
    assert found is not None
    return found[1]


def test_from_the_hunt_page_to_a_schedule_and_its_end(client: FlaskClient) -> None:
    assert 'action="/hunt/searches"' in client.get("/hunt?q=host.name:srv*").text
    address = kept(client, "servers")
    page = client.get(address).text
    assert "last=7d" in page
    form = {
        "act": "schedule",
        "every": "300",
        "threshold": "5",
        "level": "high",
        "settle": "120",
        "version": version(client, address),
    }
    assert post(client, address, form).status_code == 302
    assert "every 5 minutes" in client.get(address).text
    assert post(client, address, form).status_code == 409  # the version of before
    assert post(client, address, {"act": "end", "version": version(client, address)}).status_code == 302
    assert "every 5 minutes</span>" not in client.get("/hunt/searches").text
    assert post(client, address, {"act": "delete", "version": version(client, address)}).status_code == 302
    assert client.get(address).status_code == 404


def test_others_see_what_is_shared_and_change_nothing(client: FlaskClient, app: APIFlask) -> None:
    mine, ours = kept(client, "private"), kept(client, "common", shared="1")
    other, water = browser_of(app, "other"), browser_of(app, "water")
    assert other.get(ours).status_code == 200
    assert "Run it by the clock" not in other.get(ours).text
    assert other.get(mine).status_code == 404
    assert water.get(ours).status_code == 404
    for address in (mine, ours):
        assert post(other, address, {"act": "delete"}).status_code == 404
        assert other.get(f"/api/v1{address.removeprefix('/hunt')}").status_code == (200 if address == ours else 404)


def test_who_supervises_sees_and_stops_what_runs(client: FlaskClient, secadmin: FlaskClient, auditadmin: FlaskClient) -> None:
    address = kept(client, "costly")
    assert secadmin.get(address).status_code == 404
    form = {"act": "schedule", "every": "300", "threshold": "0", "level": "low", "settle": "0", "version": version(client, address)}
    post(client, address, form)
    assert "costly" in secadmin.get("/hunt/searches").text
    assert post(secadmin, f"{address}/stop", {"reason": ""}).status_code == 422
    assert post(secadmin, f"{address}/stop", {"reason": EVIL}).status_code == 302
    page = client.get(address).text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert auditadmin.get("/hunt/searches").status_code == 403
    assert post(client, f"{address}/stop", {"reason": "x"}).status_code == 403


def test_hostile_texts_are_shown_as_texts(client: FlaskClient) -> None:
    answer = post(client, "/hunt/searches", {"q": 'message:"<script>alert(2)</script>"', "name": "<img src=x>", "last": "24h"})
    assert answer.status_code == 302
    page = client.get("/hunt/searches").text
    assert "<img src=x>" not in page
    assert "<script>alert(2)" not in page


@pytest.mark.parametrize(
    "form",
    [
        {"q": 'host.name:"', "name": "n"},
        {"q": "a", "name": ""},
        {"q": "a", "name": "n" * 61},
        {"q": "a" * 5000, "name": "n"},
        {"q": "a", "name": "n", "from": "never"},
    ],
)
def test_what_cannot_be_kept_is_said(client: FlaskClient, form: dict[str, str]) -> None:
    assert post(client, "/hunt/searches", form).status_code == 422


@pytest.mark.parametrize("field", ["every", "threshold", "settle", "level"])
def test_a_wrong_schedule_is_said(client: FlaskClient, field: str) -> None:
    address = kept(client, f"wrong {field}")
    form = {
        "act": "schedule",
        "every": "300",
        "threshold": "5",
        "level": "high",
        "settle": "120",
        "version": version(client, address),
    }
    for value in ("", "-1", "x", "99999999999"):
        assert post(client, address, form | {field: value}).status_code == 422


def test_the_draft_of_a_rule(client: FlaskClient) -> None:
    page = client.get("/hunt/sigma?q=process.name:svchost.exe").text
    assert "product: windows" in page
    download = client.get("/hunt/sigma?q=process.name:svchost.exe&download=1")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert download.text.startswith("title: 'Draft: process.name:svchost.exe'")
    refused = client.get("/hunt/sigma?q=svchost")
    assert refused.status_code == 422
    assert "without a field" in refused.text
    assert client.get("/hunt/sigma?q=a:%22").status_code == 422


def test_the_api_keeps_schedules_and_deletes(client: FlaskClient, app: APIFlask) -> None:
    headers = {"X-CSRFToken": token_of(client, "/account")}
    made = client.post("/api/v1/searches", json={"name": "by api", "query": "user.name:root"}, headers=headers)
    assert made.status_code == 201
    number, etag = made.get_json()["id"], made.headers["ETag"]
    body = {"every": 900, "threshold": 3, "level": "low"}
    assert client.put(f"/api/v1/searches/{number}/schedule", json=body, headers=headers).status_code == 428
    done = client.put(f"/api/v1/searches/{number}/schedule", json=body, headers={**headers, "If-Match": etag})
    assert (done.status_code, done.get_json()["every"]) == (200, 900)
    assert client.patch(f"/api/v1/searches/{number}", json={"name": "z"}, headers={**headers, "If-Match": etag}).status_code == 412
    wrong = client.post("/api/v1/searches", json={"name": "n", "query": "a", "owner_id": 1}, headers=headers)
    assert wrong.status_code == 422
    assert client.get(f"/api/v1/searches/{number}/runs").get_json() == {"runs": []}
    gone = client.delete(f"/api/v1/searches/{number}", headers={**headers, "If-Match": done.headers["ETag"]})
    assert gone.status_code == 204
    assert client.get(f"/api/v1/searches/{number}").status_code == 404
