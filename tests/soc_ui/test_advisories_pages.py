"""Pages and API of advisories and software: import, why, states, scope, hostile texts."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.advisories.matching import AdvisoryMatcher
from soc_ui.services import Services
from tests.operations.advisories.documents import HTTPD, KEV, raw
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_desk import WATER, fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("advisories"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


def send(browser: FlaskClient, path: str, name: str, content: bytes, **more: str) -> Any:
    fields = {**more, "csrf_token": token_of(browser, "/account"), "file": (io.BytesIO(content), name)}
    return browser.post(path, data=fields, content_type="multipart/form-data")


def key_of(browser: FlaskClient) -> str:
    rows = browser.get("/api/v1/assets?limit=100&status=registered").get_json()
    return next(one["key"] for one in rows["assets"] if one["zone"] and WATER not in one["bureau"])


def test_from_import_to_decision_and_warning(client: FlaskClient, app: APIFlask, filled: Services) -> None:
    key = key_of(client)
    assert client.get("/advisories", follow_redirects=True).status_code == 200
    answer = send(client, "/advisories/import", "kev.json", raw(KEV))
    assert answer.status_code == 200
    assert "vulnerabilities[2]" in answer.text
    assert send(client, "/advisories/import", "x.json", b"[").status_code == 422
    assert send(client, "/advisories/import", "nvd.json", raw(HTTPD)).status_code == 200
    assert send(client, "/asset/software/import", "l.txt", b"openssl\t3.0\n", key=key, format="dpkg").status_code == 302
    assert send(client, "/asset/software/import", "l.txt", b"?\n", key=key, format="dpkg").status_code == 200
    entry = {"key": key, "act": "add", "vendor": "Apache", "product": "httpd", "release": "2.4.49"}
    assert post(client, "/asset/software", entry).status_code == 302
    assert post(client, "/asset/software", entry).status_code == 409
    assert post(client, "/asset/software", {**entry, "product": EVIL}).status_code == 302
    AdvisoryMatcher(filled.database)()
    page = client.get(f"/asset?key={key}").text
    assert "CVE-2021-41773" in page
    assert "<script>alert" not in page
    listed = client.get("/advisories?affected=1").text
    number = re.search(r'data-href="/advisories/(\d+)"', listed)
    assert number is not None
    address = f"/advisories/{number[1]}"
    shown = client.get(address).text
    assert "lies in the range" in shown
    assert "overdue" in shown
    match, version = re.findall(r'name="(?:match|version)" value="(\d+)"', shown)[:2]
    form = {"match": match, "version": version, "state": "false"}
    assert post(client, address, form).status_code == 422  # no reason
    assert client.get("/warnings/new?advisory=CVE-2021-41773").text.count("CVE-2021-41773") > 1
    drafted = client.post(f"/api/v1{address}/warning", headers={"X-CSRF-Token": token_of(client, "/account")})
    assert drafted.status_code in (201, 401, 403)
    assert post(client, address, {**form, "note": EVIL}).status_code == 302
    assert post(client, address, {**form, "note": "again"}).status_code == 409
    assert "<script>alert" not in client.get(address).text
    for language in ("en", "zh"):
        assert browser_of(app, "lin.mei", language).get(address).status_code == 200


def test_a_bureau_sees_its_own_matches_only(app: APIFlask, client: FlaskClient) -> None:
    bureau = browser_of(app, "shui.wu")
    answer = bureau.get("/advisories?view=all")
    assert answer.status_code == 200
    assert bureau.get("/advisories/import").status_code == 403
    found = re.search(r'data-href="(/advisories/\d+)"', answer.text)
    if found is not None:
        assert "No asset that you may see" in bureau.get(found[1]).text
