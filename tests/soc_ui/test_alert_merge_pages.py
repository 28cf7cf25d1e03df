"""Merging, similar alerts and the flyout, as a browser and as a program ask for them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones

PART = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    services = fill(tmp_path_factory.mktemp("merge"), events=60)
    fill_zones(services, events=600)
    create_user(services.database, SYSTEM, "water.analyst", PASSWORD, "analyst", reach=Reach(zones=("water-ot",)))
    return create_app(services)


def ask(browser: FlaskClient, method: str, path: str, body: Any = None, match: str = "") -> Any:
    headers = {"X-CSRFToken": token_of(browser, "/account")} | ({"If-Match": match} if match else {})
    return browser.open("/api/v1/alerts" + path, method=method, json=body, headers=headers)


def rows(browser: FlaskClient, address: str) -> list[str]:
    return re.findall(r'<tr data-id="(\d+)"', browser.get(address).text)


def test_from_the_selection_to_a_lead_and_back(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    ids = rows(browser, "/alerts?status=new&level=low")[:3]
    page = post(browser, "/alerts/merge/draft", {"ids": ids, "next": "/alerts?status=new&level=low"}).text
    items = re.findall(r'name="items" value="(\d+:\d+)"', page)
    assert sorted(item.partition(":")[0] for item in items) == sorted(ids)
    lead = re.findall(r'name="lead" value="(\d+:\d+)"[^>]*checked', page)[0]
    done = post(
        browser, "/alerts/merge", {"items": items, "lead": lead, "next": "/alerts?status=new&level=low", "note": "same scan"}
    )
    told = parse_qs(urlsplit(done.location).query)
    assert (told["done"], told["n"], told["level"]) == (["merged"], ["2"], ["low"])
    listed = browser.get(done.location).text
    assert f'name="batch" value="{told["batch"][0]}"' in listed  # the message offers to take it back
    number = lead.partition(":")[0]
    [other] = [one for one in ids[:2] if one != number][:1]
    for address in (f"/alerts/{number}", f"/alerts/{number}/flyout"):
        text = browser.get(address, headers=PART).text
        assert "Merged alerts" in text
        assert f'href="/alerts/{other}"' in text
        assert "same scan" in text
    assert f'href="/alerts/{number}">#{number}</a>' in browser.get(f"/alerts/{other}").text
    assert len(rows(browser, f"/alerts?lead={number}")) == 2
    assert post(browser, "/alerts/undo", {"batch": told["batch"][0], "next": "/alerts?status=new"}).status_code == 302
    assert rows(browser, f"/alerts?lead={number}") == []
    stale = post(browser, "/alerts/merge", {"items": items, "lead": lead, "next": "/alerts"})
    assert (stale.status_code, "Somebody else changed this" in stale.text) == (409, True)


def test_one_is_not_enough_and_wrong_forms_say_so(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    one = rows(browser, "/alerts?status=new")[0]
    answer = post(browser, "/alerts/merge/draft", {"ids": [one], "next": "/alerts?status=new"})
    assert "done=two" in answer.location
    assert post(browser, "/alerts/merge", {"items": ["x"], "lead": "1:1"}).status_code == 422
    assert post(browser, "/alerts/merge", {"items": [f"{one}:1"], "lead": f"{one}:1"}).status_code in (409, 422)


def test_everything_that_matches_can_be_merged(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    address = "/alerts?level=medium"
    every = browser.get("/api/v1/alerts?level=medium&count=true").json["total"]
    ids = rows(browser, address)[:1]
    page = post(browser, "/alerts/merge/draft", {"ids": ids, "everything": "1", "next": address}).text
    assert page.count('name="items"') == every > 1


def test_api(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    lead, one, two = (row["id"] for row in browser.get("/api/v1/alerts?level=informational&status=new&limit=3").json["alerts"])
    body = {"lead": lead, "ids": [one, two], "versions": {str(two): 7}}
    assert ask(browser, "POST", "/merge", body).status_code == 428
    assert ask(browser, "POST", "/merge", body, '"9"').status_code == 412
    assert ask(browser, "POST", "/merge", body | {"versions": {"x": 1}}, "*").status_code == 422
    assert ask(browser, "POST", "/merge", body | {"ids": []}, "*").status_code == 422
    done = ask(browser, "POST", "/merge", body, '"1"').json
    assert (done["merged"], done["overtaken"]) == ([one], [two])
    assert ask(browser, "GET", f"/{one}").json["alert"]["merged_into"] == lead
    told = ask(browser, "GET", f"/{lead}/merged").json
    assert (told["total"], [row["id"] for row in told["alerts"]]) == (1, [one])
    assert [row["id"] for row in browser.get(f"/api/v1/alerts?merged_into={lead}").json["alerts"]] == [one]
    assert ask(browser, "POST", "/undo", {"batch": done["batch"]}).json == {"restored": 1}
    similar = ask(browser, "GET", f"/{lead}/similar").json["similar"]
    assert similar
    assert {reason["kind"] for one in similar for reason in one["reasons"]} >= {"rule", "time"}


def test_another_scope_is_not_there(app: APIFlask) -> None:
    whole, water = browser_of(app, USER), browser_of(app, "water.analyst")
    mine = {row["id"] for row in water.get("/api/v1/alerts?limit=500").json["alerts"]}
    foreign = next(row["id"] for row in whole.get("/api/v1/alerts?limit=500").json["alerts"] if row["id"] not in mine)
    for path in ("similar", "merged"):
        assert ask(water, "GET", f"/{foreign}/{path}").status_code == 404
    assert water.get(f"/alerts/{foreign}/flyout", headers=PART).status_code == 404
    assert ask(water, "POST", "/merge", {"lead": foreign, "ids": [min(mine)]}, "*").status_code == 404
    assert ask(water, "POST", "/merge", {"lead": min(mine), "ids": [foreign]}, "*").json["missing"] == [foreign]
    every = {one["alert"]["id"] for number in mine for one in ask(water, "GET", f"/{number}/similar").json["similar"]}
    assert every <= mine


def test_the_flyout_is_a_part_and_an_act_in_it_comes_back_to_the_list(app: APIFlask) -> None:
    browser = browser_of(app, USER)
    one = rows(browser, "/alerts?status=new")[0]
    part = browser.get(f"/alerts/{one}/flyout?next=/alerts?status=new", headers=PART).text
    assert "<html" not in part
    assert 'id="flyout-title" tabindex="-1"' in part
    assert f'name="next" value="/alerts?status=new#alert-{one}"' in part
    assert "<html" in browser.get(f"/alerts/{one}/flyout").text
    foreign = browser.get(f"/alerts/{one}/flyout?next=https://example.com", headers=PART).text
    assert "example.com" not in foreign
    version = re.findall(r'name="version" value="(\d+)"', part)[0]
    form = {"status": "acknowledged", "version": version, "next": f"/alerts?status=new#alert-{one}"}
    answer = post(browser, f"/alerts/{one}", form)
    assert answer.location == f"/alerts?status=new&done=change&n=1#alert-{one}"
    away = post(browser, f"/alerts/{one}", form | {"next": "//example.com", "version": ""})
    assert away.location.startswith("/?")
