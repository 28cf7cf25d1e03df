"""The list of devices, one device, registering one and many, and keys that were chosen to break the pages."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from kernel.zones.plan import Asset, ZonePlan
from kernel.zones.sightings import Sighting
from kernel.zones.table import ZoneTable
from operations.accounts.service import create_user
from operations.assets import inventory, listing, register
from operations.assets.schema import AssetFilter
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import log_in, post
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import ADMIN, fill_zones

STRANGER = "10.60.0.230"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
ODD_KEYS = [
    "..",
    ".",
    "a/../b",
    "a//b",
    "/",
    "a/",
    "?x=1#y",
    "100%",
    "%2e%2e",
    " x ",
    "new",
    "bulk",
    "摄像机 №1",
    EVIL,
    "x" * 128,
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("assets"), events=0)
    fill_zones(services, events=900)
    create_user(services.database, SYSTEM, "guest", PASSWORD, "leader")
    create_user(services.database, SYSTEM, "night", PASSWORD, "analyst")
    return services


def _keys(text: str) -> list[str]:
    return [html.unescape(key) for key in re.findall(r'<tr data-id="([^"]*)"', text)]


def _walk(client: FlaskClient, path: str) -> list[str]:
    seen: list[str] = []
    url: str | None = path
    while url:
        text = client.get(url).text
        seen += _keys(text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        url = html.unescape(following[1]) if following else None
    return seen


@pytest.mark.parametrize("sort", ["", "-last_seen", "key", "-key", "kind", "importance", "first_seen"])
def test_every_sort_shows_every_device_once(client: FlaskClient, filled: Services, sort: str) -> None:
    with filled.database.read() as session:
        expected = listing.count_assets(session)
    found = _walk(client, f"/assets?sort={sort}" if sort else "/assets")
    assert len(found) == len(set(found)) == expected > 80
    if sort == "key":
        assert found == sorted(found)


def test_filters_narrow_and_stand_as_chips(client: FlaskClient, filled: Services) -> None:
    text = client.get("/assets?status=registered&zone=water-ot&kind=plc").text
    assert sorted(_keys(text)) == [f"water-ot-{number:02d}" for number in range(1, 9)]
    assert len(re.findall(r'class="chip"', text)) == 3
    assert _keys(client.get("/assets?q=a4-11-62-0b-7c-00").text) == [STRANGER]
    assert "No device matches these filters" in client.get("/assets?q=nothing-has-this").text
    assert client.get("/assets?sort=password").status_code == 422
    assert client.get("/assets?cursor=rubbish").status_code == 422


def test_a_seen_device_stands_out_and_is_registered(client: FlaskClient, filled: Services) -> None:
    listed = client.get("/assets?status=observed&zone=water-ot").text
    assert f'href="/assets/{STRANGER}#register"' in listed
    page = client.get(f"/assets/{STRANGER}").text
    assert "Nobody has registered this device." in page
    assert "Unregistered device inside a closed zone" in page  # the alert names its address, not yet its id
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    form = {
        "key": STRANGER, "id": "wtr-laptop-1", "version": version[1], "name": "维护笔记本", "kind": "workstation",
        "bureau": "水务局", "importance": "2", "addresses": STRANGER, "macs": "a4:11:62:0b:7c:00", "note": "现场维护",
    }  # fmt: skip
    answer = post(client, "/asset/save", form)
    assert answer.location == "/assets/wtr-laptop-1?done=asset"
    with filled.database.read() as session:
        record = register.get(session, "wtr-laptop-1")
        entry = audit.listing(session, action="asset.register", limit=1).entries[0]
    assert (record.status, record.zone, record.names, record.macs) == (
        "registered",
        "water-ot",
        ["laptop-0"],
        ["A4-11-62-0B-7C-00"],
    )
    assert record.first_seen
    assert (entry.object_id, entry.actor) == ("wtr-laptop-1", "lin.mei")
    assert client.get(f"/assets/{STRANGER}").status_code == 404
    after = client.get("/assets/wtr-laptop-1").text
    assert "现场维护" in after
    assert re.search(r'<time datetime="[^"]+" title="\d{4}-\d\d-\d\d [\d:.]+ UTC">', after)


def test_an_entry_is_changed_retired_taken_back_and_forgotten(client: FlaskClient, filled: Services) -> None:
    key = "env-sensor-03"
    page = client.get(f"/assets/{key}").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    form = {
        "key": key,
        "id": key,
        "version": version[1],
        "name": "三号站",
        "importance": "0",
        "addresses": "10.65.0.104 2001:db8:65::3",
    }
    assert post(client, "/asset/save", form).status_code == 302
    stale = post(client, "/asset/save", form)
    assert stale.status_code == 409
    assert "in the meantime" in stale.text
    assert post(client, "/asset/forget", {"key": key}).status_code == 422
    assert post(client, "/asset/status", {"key": key, "status": "retired", "note": "拆除"}).location == f"/assets/{key}?done=asset"
    assert "Take it back" in client.get(f"/assets/{key}").text
    assert post(client, "/asset/status", {"key": key, "status": "registered"}).status_code == 302
    assert post(client, "/asset/status", {"key": key, "status": "stolen"}).status_code == 422
    assert post(client, "/asset/status", {"key": key, "status": "retired"}).status_code == 302
    assert post(client, "/asset/forget", {"key": key}).location == "/assets?done=forgotten"
    assert client.get(f"/assets/{key}").status_code == 404
    assert post(client, "/asset/forget", {"key": key}).status_code == 404
    with filled.database.read() as session:
        acts = [entry.action for entry in audit.listing(session, object_type="asset", object_id=key).entries]
    assert acts == ["asset.forget", "asset.retired", "asset.registered", "asset.retired", "asset.register"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"addresses": "nonsense"}, "is no address"),
        ({"addresses": "10.60.0.102"}, "belongs to"),
        ({"macs": "xx"}, "is no MAC address"),
        ({"importance": "9"}, "it goes from 1 to 5"),
        ({"importance": "many"}, "is no number"),
        ({"name": "x" * 300}, "At most 256 characters"),
        ({"note": "x" * 5000}, "a note has at most"),
        ({"id": " "}, "an id has 1 to 128 characters"),
        ({"id": "water-ot-02"}, "there is a device"),
    ],
)
def test_mistakes_are_told_and_nothing_is_registered(
    client: FlaskClient, filled: Services, change: dict[str, str], told: str
) -> None:
    answer = post(client, "/assets/new", {"id": "fresh", "importance": "0", **change})
    assert answer.status_code in (409, 422)
    assert told in html.unescape(answer.text)
    with filled.database.read() as session:
        assert not listing.of_keys(session, ["fresh"])


def test_many_are_registered_after_a_preview_that_changes_nothing(client: FlaskClient, filled: Services) -> None:
    where = AssetFilter(status="observed", zone="fin-private")
    with filled.database.read() as session:
        seen = [record.key for record in listing.list_assets(session, where).assets]
        total = listing.count_assets(session, AssetFilter(status="observed"))
    assert len(seen) >= 3
    chosen = [*seen[:2], "water-ot-01", "not-there"]  # a registered one and none at all are left out
    preview = post(client, "/assets/bulk", {"ids": chosen, "next": "/assets?zone=fin-private"})
    assert preview.status_code == 200
    assert "Register 2 devices" in preview.text
    offered = [html.unescape(key) for key in re.findall(r'name="ids" value="([^"]+)" checked', preview.text)]
    assert offered == seen[:2]
    with filled.database.read() as session:
        assert listing.count_assets(session, AssetFilter(status="observed")) == total
    form = {"ids": offered, "kind": "workstation", "bureau": "财政局", "note": "清点", "next": "/assets?zone=fin-private"}
    answer = post(client, "/assets/register", form)
    assert answer.location == "/assets?zone=fin-private&done=registered&n=2"
    assert "2 devices registered." in client.get(answer.location).text
    with filled.database.read() as session:
        for key in offered:
            record = register.get(session, key)
            assert (record.status, record.kind, record.bureau, record.note) == ("registered", "workstation", "财政局", "清点")
    everything = post(client, "/assets/bulk", {"everything": "1", "next": "/assets?zone=fin-private"})
    assert len(re.findall(r'name="ids"', everything.text)) == len(seen) - 2
    assert "done=nothing" in post(client, "/assets/bulk", {"ids": ["not-there"], "next": "//evil.example"}).location


def test_the_link_to_its_events_finds_them(client: FlaskClient, filled: Services) -> None:
    page = client.get("/assets/water-ot-01").text
    link = next(link for link in re.findall(r'href="(/hunt\?[^"]+)"', page) if "asset.id" in link)
    query = parse_qs(urlsplit(html.unescape(link)).query)["q"][0]
    assert filled.store.count(parse_query(query), TimeRange()) > 0


def test_a_viewer_reads_only_and_an_analyst_registers(app, filled: Services) -> None:  # type: ignore[no-untyped-def]
    browser = app.test_client()
    log_in(browser, "guest")
    for path in ("/assets", "/assets/water-ot-01"):
        text = browser.get(path).text
        assert 'name="ids"' not in text
        assert 'name="version"' not in text
    for path in ("/assets/new", "/asset/save", "/asset/status", "/asset/forget", "/assets/bulk", "/assets/register"):
        assert post(browser, path, {"key": "water-ot-01", "status": "retired", "ids": "x"}).status_code == 403
        assert browser.post(path, data={"key": "x"}).status_code == 400
    other = app.test_client()
    log_in(other, "night")
    assert post(other, "/assets/new", {"id": "night-1", "importance": "0"}).location == "/assets/night-1?done=asset"


def test_odd_keys_have_pages_that_can_be_reached_and_stay_text(tmp_path: Path) -> None:
    services = fill(tmp_path, events=0)
    with services.database.write() as session:
        for number, key in enumerate(ODD_KEYS):
            asset = Asset(id=key, name=EVIL, kind=EVIL[:64], bureau=EVIL, addresses=(f"10.0.0.{number}",))
            register.register(session, ADMIN, asset, ZoneTable(ZonePlan()), note=EVIL)
        seen = Sighting(
            zone="",
            first="2026-11-23T04:00:00.000000Z",
            last="2026-11-23T04:00:00.000000Z",
            address="10.9.9.9",
            name=f"seen {EVIL}",
        )
        inventory.record_sightings(session, [seen])
    browser = create_app(services).test_client()
    log_in(browser)
    browser.set_cookie("lang", "en")
    text = browser.get("/assets").text
    assert "<script>alert" not in text
    links = {html.unescape(link) for link in re.findall(r'<a class="rowlink" href="([^"]+)"', text)}
    assert len(links) == len(ODD_KEYS) + 1
    reached: set[str] = set()
    for link in links:
        page = browser.get(link)
        assert page.status_code == 200, link
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        found = re.search(r'name="key" value="([^"]*)"', page.text)
        assert found is not None
        reached.add(html.unescape(found[1]))
    assert {key.strip() for key in ODD_KEYS} | {"10.9.9.9"} == {key.strip() for key in reached}


@pytest.mark.parametrize("path", ["/assets/nothing", "/asset?key=nothing", "/asset", "/assets/%00", "/asset?key=%00"])
def test_devices_that_are_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
