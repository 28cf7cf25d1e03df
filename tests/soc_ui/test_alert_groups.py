"""The queue in groups: by page and API, within the scope, and what an act on a group reaches."""

from __future__ import annotations

import re
from html import unescape

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts import service
from operations.alerts.schema import AlertFilter
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, RULES, fill
from tests.soc_ui.seed_zones import fill_zones

LSASS = RULES[0]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("groups"), events=40)
    fill_zones(services, events=200)
    create_user(services.database, SYSTEM, "shui.wu", PASSWORD, "bureau", reach=Reach(organisations=("水务局",)))
    return services


def row(page: str, name: str) -> str:
    """The row of a group, without marks."""
    found = next(one for one in re.findall(r"<tr data-id.*?</tr>", page, re.DOTALL) if name in one)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found)).split())


@pytest.mark.parametrize("by", ["rule", "host", "user", "ip"])
def test_groups_hold_each_alert_once_and_lead_to_their_members(filled: Services, client: FlaskClient, by: str) -> None:
    answer = client.get(f"/api/v1/alerts/groups?by={by}").get_json()
    with filled.database.read() as session:
        total = service.count_alerts(session, AlertFilter()).count
    assert answer["exact"]
    assert sum(one["number"] for one in answer["groups"]) + answer["without"] == answer["looked"] == total
    assert all(sum(one["levels"].values()) == one["number"] >= one["new"] for one in answer["groups"])
    first = answer["groups"][0]
    page = client.get(f"/alerts/groups?by={by}&view=all").text
    link = unescape(re.search(r'<tr data-id="\d+" data-href="([^"]+)"', page)[1])  # type: ignore[index]
    queue = client.get(link).text
    there = int(re.search(r'<span class="muted">([\d,]+) alerts</span>', queue)[1].replace(",", ""))  # type: ignore[index]
    assert there == first["number"] if by in ("rule", "host") else there >= first["number"]
    assert ("/alerts/bulk" in page) == (by in ("rule", "host"))


def test_an_act_on_a_group_is_shown_first_and_reaches_its_members_only(filled: Services, client: FlaskClient) -> None:
    page = client.get("/alerts/groups?by=rule").text
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if LSASS.id in one)
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form) if name != "csrf_token"}
    drafted = post(client, "/alerts/bulk", fields | {"action": "acknowledge"})
    assert drafted.location.startswith("/alerts/bulk/")
    with filled.database.read() as session:
        number = service.count_alerts(session, AlertFilter(rule=(LSASS.id,))).count
    assert f"{number} alerts" in client.get(drafted.location).text


def test_filters_narrow_groups_and_stay_in_their_links(client: FlaskClient) -> None:
    page = client.get("/alerts/groups?by=host&level=critical").text
    links = [unescape(one) for one in re.findall(r'<tr data-id="\d+" data-href="([^"]+)"', page)]
    assert links
    assert all("level=critical" in one and "host=" in one for one in links)
    assert "level=critical" in unescape(client.get("/alerts?level=critical").text.partition("/alerts/groups?")[2][:60])


def test_a_bureau_has_groups_of_its_own(app: APIFlask, client: FlaskClient) -> None:
    browser = browser_of(app, "shui.wu")
    own, every = browser.get("/api/v1/alerts/groups").get_json(), client.get("/api/v1/alerts/groups").get_json()
    assert 0 < own["looked"] < every["looked"]
    page = browser.get("/alerts/groups").text
    assert "/alerts/bulk" not in page
    assert row(page, "rowlink")


@pytest.mark.parametrize("by", ["", "tag", "x" * 5000])
def test_other_groups_are_refused(client: FlaskClient, by: str) -> None:
    assert client.get(f"/alerts/groups?by={by}").status_code == 422
    assert client.get(f"/api/v1/alerts/groups?by={by}").status_code == 422
