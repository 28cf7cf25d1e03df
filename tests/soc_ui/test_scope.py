"""A person with a scope sees what concerns their zones, in every list, count, chart, file and address, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.accounts import keys
from operations.accounts.schema import Principal, Reach
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.assets import listing as assets
from operations.audit.schema import SYSTEM
from operations.reach import SESSION_KEY
from operations.zones import service as zones
from soc_ui.app import create_app
from soc_ui.reach import ReachedStore
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.platform import wait_until

MINE = "water-ot"
OWNER = "水务局"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("scope"), events=60)
    fill_zones(services, events=1200)
    create_user(services.database, SYSTEM, "water.analyst", PASSWORD, "analyst", reach=Reach(zones=(MINE,)))
    create_user(services.database, SYSTEM, "water.bureau", PASSWORD, "bureau", reach=Reach(zones=(MINE,)))
    create_user(services.database, SYSTEM, "no.scope", PASSWORD, "bureau")
    return services


@pytest.fixture
def scoped(app: APIFlask) -> FlaskClient:
    return browser_of(app, "water.analyst")


def mine_and_all(services: Services) -> tuple[set[int], set[int]]:
    """Ids of alerts that name the zone, found without the code under test; and of all alerts."""
    with services.database.read() as session:
        every = alerts.matching_ids(session, alerts_filter(), 10_000)
        found = {
            number
            for number in every
            if any((one.kind, one.value) == ("zone", MINE) for one in alerts.get_detail(session, number).entities)
        }
    return found, set(every)


def alerts_filter() -> Any:
    from operations.alerts.schema import AlertFilter

    return AlertFilter()


def api(browser: FlaskClient, path: str, **query: Any) -> Any:
    return browser.get("/api/v1" + path, query_string=query)


def test_completion_and_field_statistics(scoped: FlaskClient, client: FlaskClient, filled: Services) -> None:
    """A value that only other zones have is neither suggested nor counted."""
    everywhere = api(client, "/events/top", field="source.zone", limit=100).get_json()["buckets"]
    assert {one["key"] for one in mine_of(scoped)} < {one["key"] for one in everywhere}
    for query in ("source.zone:", "* AND source.zone:", "no.such:x OR source.zone:"):
        labels = [one["label"] for one in api(scoped, "/events/complete", query=query, at=len(query)).get_json()["suggestions"]]
        page = scoped.get("/hunt/complete", query_string={"q": query, "at": len(query), "last": "all"}).get_json()["suggestions"]
        assert set(labels) | {one["label"] for one in page} <= {one["key"] for one in mine_of(scoped)}
    seen = filled.store.count(ReachedStore(filled.store, frozenset({MINE}))._within(parse_query("")), TimeRange())
    assert api(scoped, "/events/statistics", field="source.zone").get_json()["events"] == seen
    assert api(client, "/events/statistics", field="source.zone").get_json()["events"] > seen > 0


def mine_of(scoped: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api(scoped, "/events/top", field="source.zone", limit=1000).get_json()["buckets"]
    return found


def test_alerts(scoped: FlaskClient, filled: Services) -> None:
    mine, every = mine_and_all(filled)
    assert mine
    assert mine < every
    seen, cursor = set(), ""
    while True:
        body = api(scoped, "/alerts", limit=5, cursor=cursor, count="true").get_json()
        seen |= {alert["id"] for alert in body["alerts"]}
        assert body["total"] == len(mine)
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert seen == mine
    facets = api(scoped, "/alerts/facets", facet=["status", "rule", "host", "level"]).get_json()["facets"]
    assert {sum(value["count"] for value in facet["values"]) for facet in facets if facet["dimension"] in ("status", "level")} == {
        len(mine)
    }
    page = scoped.get("/alerts?view=all").text
    assert {int(number) for number in re.findall(r'<tr data-id="(\d+)"', page)} <= mine


def test_an_alert_of_another_zone_is_not_there(scoped: FlaskClient, filled: Services) -> None:
    mine, every = mine_and_all(filled)
    foreign, own = min(every - mine), min(mine)
    for path in (f"/alerts/{foreign}", f"/api/v1/alerts/{foreign}", f"/api/v1/alerts/{foreign}/detections"):
        assert scoped.get(path).status_code == 404, path
    assert scoped.get(f"/alerts/{own}").status_code == 200
    assert post(scoped, f"/alerts/{foreign}/notes", {"note": "x"}).status_code == 404
    assert post(scoped, f"/alerts/{foreign}", {"status": "acknowledged"}).status_code == 404
    post(scoped, "/alerts/bulk", {"ids": [str(foreign)], "action": "acknowledge"})
    everything = {"ids": [str(own)], "action": "acknowledge", "everything": "1", "next": "/alerts?view=all"}
    drafted = post(scoped, "/alerts/bulk", everything).location.partition("?")[0]
    post(scoped, f"{drafted}/start", {})

    def status(number: int) -> str:
        with filled.database.read() as session:
            return alerts.get_alert(session, number).status

    wait_until(lambda: status(own) == "acknowledged", 20, "the act is done in the background")
    assert status(foreign) == "new"
    related = scoped.get(f"/alerts/{own}").text
    assert not {int(n) for n in re.findall(r'href="/alerts/(\d+)"', related)} & (every - mine)


def of_mine(event: dict[str, Any]) -> bool:
    return MINE in (event.get("host.zone"), event.get("source.zone"), event.get("destination.zone"))


def test_events(scoped: FlaskClient, filled: Services) -> None:
    everything = filled.store.search(parse_query("*"), TimeRange(), limit=5000, fields=["*"]).events
    mine = {event["event.id"] for event in everything if of_mine(event)}
    foreign = next(event for event in everything if not of_mine(event))
    assert mine
    seen, cursor = [], ""
    while True:
        body = api(scoped, "/events", query="*", limit=200, cursor=cursor, field=["*"]).get_json()
        seen += [event["event.id"] for event in body["events"]]
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert sorted(seen) == sorted(mine)
    assert sum(bar["count"] for bar in api(scoped, "/events/histogram", query="*").get_json()["buckets"]) == len(mine)
    assert api(scoped, f"/events/{foreign['event.id']}").status_code == 404
    assert scoped.get(f"/hunt/event/{foreign['event.id']}").status_code == 404
    top = {
        b["key"]: b["count"] for b in api(scoped, "/events/top", query="*", field="event.dataset", limit=50).get_json()["buckets"]
    }
    assert sum(top.values()) == len([event for event in everything if of_mine(event) and "event.dataset" in event])
    # a condition of the query cannot widen it
    for query in ("NOT host.zone:water-ot AND NOT source.zone:water-ot AND NOT destination.zone:water-ot", "* OR *"):
        hits = api(scoped, "/events", query=query, limit=200, field=["*"]).get_json()["events"]
        assert all(of_mine(event) for event in hits)
    answer = post(scoped, "/hunt/export", {"q": "*", "last": "all", "format": "jsonl"})
    exported = [json.loads(line) for line in answer.data.splitlines()]
    assert {event["event.id"] for event in exported} == mine
    assert len(post(scoped, "/hunt/export", {"q": "*", "last": "all", "format": "csv"}).data.splitlines()) >= len(mine)


def test_assets(scoped: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        found = assets.list_assets(session, limit=500).assets
    mine = {one.key for one in found if one.zone == MINE}
    foreign = next(one for one in found if one.zone not in ("", MINE))
    assert mine
    body = api(scoped, "/assets", limit=500, count="true").get_json()
    assert {one["key"] for one in body["assets"]} == mine
    assert body["total"] == len(mine)
    assert api(scoped, f"/assets/{foreign.key}").status_code == 404
    assert scoped.get("/asset", query_string={"key": foreign.key}).status_code == 404
    assert foreign.key not in scoped.get("/assets").text
    for path in ("/asset/status", "/asset/forget"):
        assert post(scoped, path, {"key": foreign.key, "status": "retired"}).status_code == 404
    steal = {"id": "stolen", "key": "", "addresses": "10.121.0.250", "kind": "server", "name": "x", "bureau": "", "importance": "0"}
    assert post(scoped, "/assets/new", steal).status_code == 403  # an address in a zone of others
    with filled.database.read() as session:
        assert "stolen" not in assets.of_keys(session, ["stolen"])


def test_zones_conduits_and_flows(scoped: FlaskClient, filled: Services) -> None:
    assert [zone["id"] for zone in api(scoped, "/zones").get_json()["zones"]] == [MINE]
    assert api(scoped, "/zones/fin-private").status_code == 404
    assert scoped.get("/zones/fin-private").status_code == 404
    for conduit in api(scoped, "/conduits").get_json()["conduits"]:
        assert {MINE, "*"} & {*conduit["from"], *conduit["to"]}
    crossings = api(scoped, "/crossings").get_json()["crossings"]
    assert crossings
    assert all(MINE in (flow["from"], flow["to"]) for flow in crossings)
    assert api(scoped, "/zoneplan").status_code == 403
    with filled.database.read() as session:
        names = {record.zone.name for record in zones.list_zones(session)} - {
            record.zone.name for record in zones.list_zones(session) if record.zone.id == MINE
        }
    page = scoped.get("/zones?last=all").text
    assert not [name for name in names if name in page]


def test_what_cannot_be_cut_to_zones_is_closed(scoped: FlaskClient, app: APIFlask) -> None:
    for path in ("/sources", "/sources/quarantine"):
        assert scoped.get(path).status_code == 403
    assert api(scoped, "/sources").status_code == 403
    me = api(scoped, "/me").get_json()
    assert me["zones"] == [MINE]
    assert "quarantine.read" not in me["permissions"]
    assert scoped.get("/").status_code == 200
    assert "records/s" not in scoped.get("/").text


def test_what_is_kept_between_requests_is_kept_apart(app: APIFlask, scoped: FlaskClient) -> None:
    """Counters are cached for seconds: the city's must not be shown to a bureau, nor a bureau's to the city."""
    city = browser_of(app, "lin.mei")
    for first, second in ((city, scoped), (scoped, city)):
        pages = [browser.get("/zones?last=all").text for browser in (first, second)]
        counted = [len(re.findall(r'data-zone="', page)) for page in pages]
        assert counted[0] != counted[1]
    assert len(re.findall("fin-private", scoped.get("/assets").text)) == 0


def test_a_bureau_without_a_scope_sees_nothing(app: APIFlask) -> None:
    browser = browser_of(app, "no.scope")
    assert api(browser, "/alerts").get_json()["alerts"] == []
    assert api(browser, "/assets").get_json()["assets"] == []
    assert browser.get("/").status_code == 200


def test_a_key_has_the_scope_of_its_owner(app: APIFlask, filled: Services) -> None:
    mine, _ = mine_and_all(filled)
    owner = Principal(_id(filled, "water.analyst"), "water.analyst", "", "analyst")
    with filled.database.write() as session:
        _, token = keys.create_key(session, owner, "bot", "write")
    program = app.test_client(use_cookies=False)
    answer = program.get("/api/v1/alerts", query_string={"limit": 500}, headers={"Authorization": f"Bearer {token}"})
    assert {alert["id"] for alert in answer.get_json()["alerts"]} == mine


def _id(services: Services, name: str) -> int:
    from operations.accounts.service import list_users

    with services.database.read() as session:
        return next(user.id for user in list_users(session) if user.name == name)


def test_the_reached_store_gives_nothing_but_events_of_its_zones(filled: Services) -> None:
    nothing = ReachedStore(filled.store, frozenset())
    query, when = parse_query("*"), TimeRange()
    assert nothing.count(query, when) == 0
    assert nothing.search(query, when, count=True).total == 0
    assert nothing.top(query, when, "host.name") == []
    for write in (lambda: nothing.commit(None), lambda: nothing.retain(1, ""), nothing.compact):  # type: ignore[arg-type]
        with pytest.raises(NotImplementedError):
            write()


def test_no_page_opens_the_stores_past_the_scope() -> None:
    """services() is the one door (soc_ui.services); whoever takes the unlimited ones from the application is named here."""
    for path in sorted((ROOT / "soc_ui").rglob("*.py")):
        text = path.read_text("utf-8")
        if path.name != "services.py":
            assert 'extensions["liandun"]' not in text or path.name == "app.py", path
    assert SESSION_KEY == "zones"
    assert create_app is not None
