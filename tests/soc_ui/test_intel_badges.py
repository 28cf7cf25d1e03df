"""Known indicators where people meet their values: the menu of the hunt page, the cards of an alert, the tab of an incident."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import update

from kernel.detection import Detection
from kernel.event import Event, event_id, timestamp
from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.accounts.models import User
from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.indicators import listing, service
from operations.indicators.schema import Candidate
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("badges"), events=200)
    fill_zones(services, events=600)
    with services.database.write() as session:
        session.execute(update(User).where(User.name == USER).values(role="responder"))
    create_user(services.database, SYSTEM, "the.leader", PASSWORD, "leader")
    create_user(services.database, SYSTEM, "cloud.analyst", PASSWORD, "analyst", reach=Reach(zones=("gov-cloud",)))
    return services


def add(services: Services, value: str) -> int:
    with services.database.write() as session:
        return service.add(session, SYSTEM, Candidate(value)).id


def incident(browser: FlaskClient, *indicators: tuple[str, str]) -> str:
    """The tab of a new incident with these indicators."""
    answer = post(browser, "/incidents", {"title": "测试", "zones": ["gov-cloud"]})
    here = str(answer.location).partition("?")[0] + "/indicators"
    for kind, value in indicators:
        assert post(browser, here, {"kind": kind, "value": value, "note": "seen"}).status_code == 302
    return here


def numbers(page: str) -> list[str]:
    return re.findall(r'/indicators/watch"[^§]*?name="indicator" value="(\d+)"', page)


def test_the_menu_of_a_value_names_the_indicator(client: FlaskClient, app: APIFlask, filled: Services) -> None:
    found = filled.store.search(parse_query('source.ip:"198.51.100.0/24"'), TimeRange(), limit=1, fields=["*"]).events[0]
    args = {"event": found["event.id"], "near": found["@timestamp"], "field": "source.ip", "last": "7d"}
    assert "Known indicator" not in client.get("/hunt/value", query_string=args).text
    number = add(filled, f"{found['source.ip']}/28")
    page = client.get("/hunt/value", query_string=args).text
    assert f'href="/intel/{number}"' in page
    assert "entered by hand" in page
    assert "已知情报" in browser_of(app, USER, "zh").get("/hunt/value", query_string=args).text
    assert client.get(f"/intel/{number}").status_code == 200


def test_the_cards_of_an_alert_name_the_indicator(client: FlaskClient, app: APIFlask, filled: Services) -> None:
    address = "198.51.100.201"
    event: Event = {
        "@timestamp": timestamp(datetime.now(UTC)),
        "event.id": event_id("badge"),
        "source.ip": address,
        "destination.ip": "10.60.0.7",
    }
    found = Detection("d" * 32, "r-1", "A rule", "high", "sigma", event["@timestamp"], [event["event.id"]], event)
    with filled.database.write() as session:
        alerts.record_detections(session, [found])
        alert = alerts.latest_id(session)
    number = add(filled, address)
    for headers in ({}, {"HX-Request": "true"}):
        path = f"/alerts/{alert}" + ("/flyout" if headers else "")
        assert f'href="/intel/{number}">Known indicator' in client.get(path, headers=headers).text
        scoped = browser_of(app, "cloud.analyst").get(path, headers=headers)
        assert scoped.status_code == 404 or "/intel" not in scoped.text


def test_watch_for_an_indicator_of_an_incident(client: FlaskClient, filled: Services) -> None:
    wanted = (("ip", "2001:db8:77::7"), ("domain", "c2.evil.example"), ("url", "http://evil.example/a"), ("sm3", "ab" * 32))
    here = incident(client, *wanted)
    for _kind, _value in wanted:
        page = client.get(here).text
        assert post(client, f"{here}/watch", {"indicator": numbers(page)[0]}).status_code == 302
    page = client.get(here).text
    assert numbers(page) == []
    assert page.count("watched for</a>") == len(wanted)
    with filled.database.read() as session:
        for _kind, value in wanted:
            [found] = listing.with_value(session, value)
            assert (found.origin, found.state, found.note.endswith(" seen")) == ("incident", "active", True)
    assert "from an incident" in client.get(f"/intel/{found.id}").text


def test_what_is_watched_for_already_or_must_not_be_is_told(client: FlaskClient, app: APIFlask, filled: Services) -> None:
    here = incident(client, ("domain", "twice.example"), ("ip", "10.60.0.7"))
    own, twice = sorted(numbers(client.get(here).text), key=int, reverse=True)
    refused = post(client, f"{here}/watch", {"indicator": own})
    assert (refused.status_code, "Such addresses name nobody in particular" in refused.text) == (422, True)
    assert "此类地址" in post(browser_of(app, USER, "zh"), f"{here}/watch", {"indicator": own}).text
    assert post(client, f"{here}/watch", {"indicator": twice}).status_code == 302
    again = post(client, f"{here}/watch", {"indicator": twice})
    assert (again.status_code, "twice.example stands here already." in again.text) == (422, True)


def test_only_those_of_this_incident_and_only_who_may(client: FlaskClient, app: APIFlask) -> None:
    here, other = incident(client, ("domain", "mine.example")), incident(client, ("domain", "other.example"))
    [foreign] = numbers(client.get(other).text)
    for number in (foreign, "999999", "9" * 25, "x", ""):
        assert post(client, f"{here}/watch", {"indicator": number}).status_code == 404
    assert client.post(f"{other}/watch", data={"indicator": foreign}).status_code == 400
    for name in ("the.leader", "cloud.analyst"):
        browser = browser_of(app, name)
        page = browser.get(other)
        assert (page.status_code, numbers(page.text), "other.example" in page.text) == (200, [], True)
        assert post(browser, f"{other}/watch", {"indicator": foreign}).status_code == 403
