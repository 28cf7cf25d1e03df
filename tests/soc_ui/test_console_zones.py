"""Zone map, zones, conduits and the plan file: what stands there, who may change it, and what hostile input gets."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from flask.testing import FlaskClient

from kernel.errors import StoreError
from kernel.event import Event, event_id
from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.zones.plan import Conduit, Zone, ZonePlan, read_plan, write_plan
from operations.accounts.service import create_user
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.zones import service
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import log_in, post, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import ADMIN, TRAFFIC, ZONES, fill_zones

DENIED = "egov-extranet>water-ot"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("zones"), events=40)
    fill_zones(services, events=2500)
    return services


@pytest.fixture(scope="module", autouse=True)
def _people(filled: Services) -> None:
    for role in ("leader", "analyst"):
        create_user(filled.database, SYSTEM, f"the-{role}", PASSWORD, role)


def _as(app, role: str) -> FlaskClient:  # type: ignore[no-untyped-def]
    browser = app.test_client()
    log_in(browser, f"the-{role}")
    browser.set_cookie("lang", "en")
    return browser


# --- the map ------------------------------------------------------------------------------------------------------------------


def test_the_map_shows_every_zone_and_every_flow_with_the_numbers_of_the_store(client: FlaskClient, filled: Services) -> None:
    text = client.get("/zones?last=all").text
    assert set(re.findall(r'data-zone="([^"]+)"', text)) == {zone.id for zone in ZONES} | {"internet", "unknown"}
    drawn = {html.unescape(found) for found in re.findall(r'data-crossing="([^"]+)"', text)}
    assert drawn == {f"{source}>{target}" for source, target, *_ in TRAFFIC}
    denied = filled.store.count(parse_query(f'zone.crossing:"{DENIED}" AND zone.verdict:denied'), TimeRange())
    assert denied > 0
    assert f'aria-label="Government extranet → Water control network: {denied} denied"' in text


def test_the_table_is_the_map_in_numbers(client: FlaskClient, filled: Services) -> None:
    text = client.get("/zones?last=all&verdict=expired&q=health").text
    rows = re.findall(r'<tr data-id="([^"]+)"', text)
    assert [html.unescape(row) for row in rows] == ["hea-private>data-platform"]
    expired = filled.store.count(parse_query("zone.verdict:expired"), TimeRange())
    assert f'<td class="num lost">{expired}</td>' in text


def test_the_table_is_sorted_and_paged_by_the_url(client: FlaskClient) -> None:
    first = client.get("/zones?last=all&sort=source").text
    names = re.findall(r'<td><a class="rowlink"[^>]*>([^<]+)</a>', first)
    assert names == sorted(names)
    assert len(names) == 25
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = client.get(html.unescape(following[1])).text
    assert len(re.findall(r'<tr data-id="([^"]+)"', second)) == len(TRAFFIC) - 25


def test_the_poll_brings_map_and_table_only(client: FlaskClient) -> None:
    part = client.get("/zones?last=24h", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="zone-map"')
    assert 'id="flow-table" hx-swap-oob="true"' in part
    assert "<html" not in part


def test_a_line_opens_its_services_pairs_conduits_and_alerts(client: FlaskClient, filled: Services) -> None:
    panel = client.get("/crossings", query_string={"crossing": DENIED, "last": "all"}, headers={"HX-Request": "true"}).text
    assert ">modbus<" in panel
    assert "No conduit leads this way" in panel
    assert re.search(r"10\.10\.0\.\d+</a> → <a[^>]+>10\.60\.0\.\d+", panel)
    assert re.search(r'href="/alerts/\d+"', panel)
    hunt = next(link for link in re.findall(r'href="(/hunt[^"]+)"', panel) if "denied" in link)
    query = parse_qs(urlsplit(html.unescape(hunt)).query)["q"][0]
    assert filled.store.count(parse_query(query), TimeRange()) > 0
    expired = client.get(
        "/crossings", query_string={"crossing": "hea-private>data-platform", "last": "all"}, headers={"HX-Request": "1"}
    )
    assert "health-stream" in expired.text
    with filled.database.read() as session:
        assert (
            audit.listing(session, action="events.top", limit=1).entries[0].detail["query"]
            == 'zone.crossing:"hea-private>data-platform"'
        )


def test_the_totals_beside_the_map_are_those_of_their_parts(tmp_path: Path) -> None:
    services = fill(tmp_path, events=40)
    fill_zones(services, events=300)
    browser = create_app(services).test_client()
    log_in(browser)
    browser.set_cookie("lang", "en")
    assert browser.get("/zones?last=all").status_code == 200  # the map keeps its numbers for some seconds
    event: Event = {"@timestamp": "2026-11-23T04:00:00.000000Z", "zone.crossing": DENIED}
    later = [
        event
        | {"event.id": event_id("later", number, verdict), "zone.verdict": verdict, "zone.service": f"tcp/{9000 + number % many}"}
        for verdict, many in (("denied", 12), ("expired", 2))
        for number in range(40)
    ]
    services.store.commit(Commit(later))
    panel = browser.get("/crossings", query_string={"crossing": DENIED, "last": "all"}, headers={"HX-Request": "true"}).text
    for verdict, name in (("denied", "denied"), ("expired", "permit expired")):
        stored = services.store.count(parse_query(f'zone.crossing:"{DENIED}" AND zone.verdict:{verdict}'), TimeRange())
        total = re.search(rf'class="verdict {verdict}[^>]*><b>([\d,]+)</b>', panel)
        parts = re.findall(rf"{name} ([\d,]+)</span>", panel)
        assert total is not None
        assert int(total[1].replace(",", "")) == stored == sum(int(part.replace(",", "")) for part in parts)
    assert ">others<" in panel


def test_without_script_a_line_is_a_link_to_the_page_with_its_details(client: FlaskClient) -> None:
    answer = client.get("/crossings", query_string={"crossing": DENIED, "last": "24h"})
    assert answer.status_code == 302
    assert "No conduit leads this way" in client.get(answer.location).text


@pytest.mark.parametrize("crossing", ["", "x", ">", "a>", ">b", "a>b>c" * 100, EVIL])
def test_a_crossing_that_is_none(client: FlaskClient, crossing: str) -> None:
    assert client.get("/zones", query_string={"crossing": crossing}).status_code == 200
    answer = client.get("/crossings", query_string={"crossing": crossing}, headers={"HX-Request": "true"})
    assert answer.status_code in (200, 404)
    assert "<script>alert" not in answer.text


def test_without_a_plan_the_map_says_what_to_do(empty: FlaskClient) -> None:
    assert "尚无区域规划" in empty.get("/zones").text
    assert empty.get("/conduits").status_code == empty.get("/zoneplan").status_code == 200


# --- zones --------------------------------------------------------------------------------------------------------------------


def test_a_zone_has_its_facts_conduits_devices_flows_and_alerts(client: FlaskClient) -> None:
    text = client.get("/zones/water-ot?last=all").text
    for words in (
        "10.60.0.0/16",
        "2001:db8:60::/48",
        "VLAN 60",
        "sensor-water-01",
        "iot-data",
        "Government extranet",
        "not registered",
    ):
        assert words in text
    assert 'href="/assets/water-ot-01"' in text
    assert "Illegal outbound link to the Internet" in text
    assert client.get("/zones/nothing").status_code == 404
    assert client.get("/zones/internet").status_code == 302


def test_changing_a_zone_needs_the_version_and_is_audited(secadmin: FlaskClient, filled: Services) -> None:
    page = secadmin.get("/zones/env-sensor").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    form = {
        "version": version[1], "name": "环境监测网", "name_en": "Environment", "layer": "perception", "owner": "生态环境局",
        "importance": "3", "ranges": "10.65.0.0/16, 2001:db8:65::/48", "vlans": "65 66", "internet": "conduit", "admission": "open",
    }  # fmt: skip
    answer = post(secadmin, "/zones/env-sensor", form)
    assert answer.location == "/zones/env-sensor?done=zone"
    with filled.database.read() as session:
        zone = service.get_zone(session, "env-sensor").zone
        entry = audit.listing(session, action="zone.change", limit=1).entries[0]
    assert (zone.ranges, zone.vlans, zone.importance) == (("10.65.0.0/16", "2001:db8:65::/48"), (65, 66), 3)
    assert (entry.object_id, entry.actor) == ("env-sensor", "an.quan")
    stale = post(secadmin, "/zones/env-sensor", form)
    assert stale.status_code == 409
    assert "Somebody else changed this" in stale.text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ranges": "10.65.0.1/16"}, "bits set behind the prefix"),
        ({"ranges": "10.60.0.0/16"}, "belongs to"),
        ({"ranges": "nonsense"}, "is no network"),
        ({"vlans": "4095"}, "is no VLAN"),
        ({"vlans": "x"}, "is no number"),
        ({"layer": "moon"}, "there is no layer"),
        ({"importance": "9"}, "it goes from 1 to 5"),
        ({"name": " "}, "a zone needs a name"),
        ({"internet": "maybe"}, "write forbidden or conduit"),
        ({"name": EVIL, "ranges": EVIL}, "is no network"),
    ],
)
def test_mistakes_in_a_zone_are_told_and_nothing_is_changed(
    secadmin: FlaskClient, filled: Services, change: dict[str, str], told: str
) -> None:
    with filled.database.read() as session:
        before = service.get_zone(session, "app-share")
    form = {
        "version": str(before.version),
        "name": "x",
        "layer": "application",
        "importance": "3",
        "internet": "conduit",
        "admission": "open",
    }
    answer = post(secadmin, "/zones/app-share", form | change)
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert "<script>alert" not in answer.text
    with filled.database.read() as session:
        assert service.get_zone(session, "app-share") == before


def test_making_and_deleting_a_zone(secadmin: FlaskClient, filled: Services) -> None:
    form = {"id": "test-net", "name": "测试区", "layer": "cloud", "importance": "1", "internet": "conduit", "admission": "open"}
    assert post(secadmin, "/zoneplan/zone", form).location == "/zones/test-net?done=zone"
    assert post(secadmin, "/zoneplan/zone", form).status_code == 409
    assert post(secadmin, "/zoneplan/zone", form | {"id": "../x"}).status_code == 422
    assert post(secadmin, "/zones/test-net/delete", {}).location == "/zones?done=zone_deleted"
    assert secadmin.get("/zones/test-net").status_code == 404
    refused = post(secadmin, "/zones/data-platform/delete", {})
    assert refused.status_code == 422
    assert "there is no zone &#39;data-platform&#39;" in refused.text


# --- conduits -----------------------------------------------------------------------------------------------------------------


def test_conduits_stand_with_those_that_end_soon_first(client: FlaskClient) -> None:
    text = client.get("/conduits").text
    ids = re.findall(r'<tr data-id="([^"]+)"', text)
    assert ids[:3] == ["bureaus-cloud", "portal-apps", "health-stream"]
    assert ids[-1] == "finance-data"
    assert re.findall(r'<tr data-id="([^"]+)"', client.get("/conduits?state=expired").text) == ["health-stream"]
    assert set(re.findall(r'<tr data-id="([^"]+)"', client.get("/conduits?zone=fin-private").text)) == {
        "bureaus-cloud",
        "finance-data",
    }
    assert re.findall(r'<tr data-id="([^"]+)"', client.get("/conduits", query_string={"q": "GB/T 28181"}).text) == ["police-video"]
    turned = re.findall(r'<tr data-id="([^"]+)"', client.get("/conduits?sort=-id").text)
    assert turned == sorted(ids, reverse=True)


def test_a_conduit_is_made_changed_and_deleted(secadmin: FlaskClient, filled: Services) -> None:
    form = {
        "id": "backup",
        "sources": "gov-cloud",
        "targets": "data-platform",
        "services": "tcp/8443\nssh",
        "reason": EVIL,
        "until": "2099-06-30",
    }
    assert post(secadmin, "/conduits", form).location == "/conduits/backup?done=conduit"
    with filled.database.read() as session:
        made = service.get_conduit(session, "backup")
    assert made.conduit.until == "2099-06-29T16:00:00.000000Z"  # midnight in Beijing
    page = secadmin.get("/conduits/backup").text
    assert "<script>alert" not in page
    assert 'value="2099-06-30 00:00"' in page
    assert post(secadmin, "/conduits", form).status_code == 409
    changed = post(secadmin, "/conduits/backup", form | {"version": str(made.version), "services": "any"})
    assert changed.status_code == 302
    assert post(secadmin, "/conduits/backup", form | {"version": str(made.version)}).status_code == 409
    wrong = post(
        secadmin,
        "/conduits/backup",
        form | {"version": str(made.version + 1), "services": "telepathy", "targets": "moon", "until": "soon"},
    )
    assert wrong.status_code == 422
    for words in ("is no service", "there is no zone", "is no moment"):
        assert words in wrong.text
    assert post(secadmin, "/conduits/backup/delete", {}).location == "/conduits?done=conduit_deleted"
    assert secadmin.get("/conduits/backup").status_code == 404


# --- the plan as a file ---------------------------------------------------------------------------------------------------------


def test_the_download_is_a_plan_that_can_be_taken_in_again(secadmin: FlaskClient, filled: Services) -> None:
    answer = secadmin.get("/zoneplan/plan.yaml")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="liandun-zones-')
    plan = read_plan(answer.text)
    with filled.database.read() as session:
        assert plan == service.read(session)
        assert audit.listing(session, action="zone.export", limit=1).entries[0].actor == "an.quan"
    again = post(secadmin, "/zoneplan", {"file": (io.BytesIO(answer.data), "plan.yaml"), "act": "import"})
    assert again.location.startswith("/zones?done=plan&n=")


def test_all_mistakes_of_an_upload_are_shown_by_line(secadmin: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        before = service.read(session)
    text = "zones:\n  - {id: a, name: A, layer: cloud, ranges: [10.1.0.1/8]}\n  - {id: b, layer: moon, name: B}\n  - {id: c}\n"
    for act in ("check", "import"):
        answer = post(secadmin, "/zoneplan", {"file": (io.BytesIO(text.encode()), "plan.yaml"), "act": act, "replace": "1"})
        assert answer.status_code == 422
        rows = re.findall(r'<tr><td class="num">(\d+|—)</td><td class="mono">([^<]*)</td><td>([^<]*)</td>', answer.text)
        assert [(int(line), about.split()[-1]) for line, about, _ in rows] == [(4, "c"), (2, "a"), (3, "b")]
    with filled.database.read() as session:
        assert service.read(session) == before


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\x00", b"", b"- a\n- b", b"zones: 7", b"zones: [" + b"[" * 5000, b"&a [*a]", EVIL.encode()]
)
def test_files_that_are_no_plan(secadmin: FlaskClient, raw: bytes) -> None:
    answer = post(secadmin, "/zoneplan", {"file": (io.BytesIO(raw), "plan.yaml"), "act": "import"})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


def test_a_check_changes_nothing(secadmin: FlaskClient, filled: Services) -> None:
    plan = write_plan(
        ZonePlan(
            (Zone(id="only", name="Only", layer="cloud"),), (Conduit(id="c", sources=("only",), targets=("*",), services=("any",)),)
        )
    )
    answer = post(secadmin, "/zoneplan", {"text": plan, "act": "check", "replace": "1"})
    assert "The plan is sound: 1 zones, 1 conduits, 0 devices" in answer.text
    with filled.database.read() as session:
        assert len(service.list_zones(session)) == len(ZONES)


def test_a_check_shows_what_would_be_made_changed_and_removed(secadmin: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        before = service.read(session)
    one = next(zone for zone in before.zones if zone.id == "water-ot")
    plan = write_plan(ZonePlan((msgspec.structs.replace(one, owner="x"), Zone(id="lab", name="Lab", layer="cloud"))))
    text = post(secadmin, "/zoneplan", {"text": plan, "act": "check", "replace": "1"}).text
    gone = len(before.zones) - 1 + len(before.conduits)
    assert f"1 new, 1 changed, {gone} removed" in text
    rows = re.findall(r"</svg>(\w+)</span></td><td class=\"mono\">(\w+) ([^<]*)</td><td class=\"mono\">([^<]*)</td>", text)
    assert len(rows) == gone + 2
    assert rows[-2:] == [("changed", "Zone", "water-ot", "owner"), ("new", "Zone", "lab", "")]
    assert rows[0][0] == "removed"
    again = write_plan(before)
    assert "Nothing: the plan in force says so already." in post(secadmin, "/zoneplan", {"text": again, "act": "check"}).text


def test_a_plan_that_others_changed_since_is_taken_in_only_after_asking(secadmin: FlaskClient, filled: Services) -> None:
    exported = secadmin.get("/zoneplan/plan.yaml").data
    with filled.database.write() as session:
        before = service.get_zone(session, "app-share")
        service.save_zone(
            session, ADMIN, msgspec.structs.replace(before.zone, owner="somebody else"), expected_version=before.version
        )
    for act in ("check", "import"):
        asked = post(secadmin, "/zoneplan", {"file": (io.BytesIO(exported), "plan.yaml"), "act": act})
        assert asked.status_code == 409
        assert "Somebody has changed the plan since this one was written" in asked.text
        assert re.search(r"Zone app-share</td><td class=\"mono\">owner</td>", asked.text)
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", asked.text, re.DOTALL)
    seen = re.search(r'name="seen" value="(\d+)"', asked.text)
    assert text is not None
    assert seen is not None
    form = {"text": html.unescape(text[1]).replace("\n", "\r\n"), "act": "force", "seen": seen[1]}
    with filled.database.write() as session:
        assert service.get_zone(session, "app-share").zone.owner == "somebody else"
        service.delete_conduit(session, ADMIN, "logs")  # once more, while the page was asking
    assert post(secadmin, "/zoneplan", form).status_code == 409
    with filled.database.read() as session:
        form["seen"] = str(service.current(session)[0])
    assert post(secadmin, "/zoneplan", form).status_code == 302
    with filled.database.read() as session:
        assert service.get_zone(session, "app-share").zone == before.zone
        assert service.get_conduit(session, "logs").conduit.id == "logs"


def test_a_text_without_a_revision_is_as_new_as_the_page_it_was_pasted_into(secadmin: FlaskClient, filled: Services) -> None:
    seen = re.search(r'name="seen" value="(\d+)"', secadmin.get("/zoneplan").text)
    assert seen is not None
    with filled.database.write() as session:
        before = service.get_zone(session, "app-share")
        service.save_zone(session, ADMIN, msgspec.structs.replace(before.zone, owner="y"), expected_version=before.version)
        old = write_plan(ZonePlan((before.zone,)))
    assert post(secadmin, "/zoneplan", {"text": old, "act": "import", "seen": seen[1]}).status_code == 409
    assert post(secadmin, "/zoneplan", {"text": old, "act": "import", "seen": str(int(seen[1]) + 1)}).status_code == 302


def test_a_part_of_a_plan_may_name_zones_that_stand(secadmin: FlaskClient) -> None:
    part = "conduits: [{id: part, from: egov-extranet, to: data-platform, services: https}]"
    assert post(secadmin, "/zoneplan", {"text": part, "act": "import"}).status_code == 302
    assert secadmin.get("/conduits/part").status_code == 200
    post(secadmin, "/conduits/part/delete", {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x0: &a [z]\nzones: [{id: *a}]", "&a: a plan has no anchors and aliases; write it out"),
        ("zones: [{<<: {id: a}}]", "<<: a plan has no merge keys; write it out"),
        ("zones: [{id: !!int ''}]", "!!int: a plan has no tags; write the value alone"),
        ('zones: [{id: a, name: "a\\0b", layer: cloud}]', "the character U+0000 may not stand in a text"),
        ("zones: [{id: a, name: " + "W" * 300_000 + ", layer: cloud}]", "W… is longer than 128 characters"),
        ("zones: []\nzones: []", "'zones' is written twice"),
    ],
)
def test_a_hostile_file_is_told_what_is_wrong(secadmin: FlaskClient, text: str, told: str) -> None:
    answer = post(secadmin, "/zoneplan", {"file": (io.BytesIO(text.encode()), "plan.yaml"), "act": "check"})
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert len(answer.data) < 100_000


@pytest.mark.parametrize(
    "change",
    [
        {"name": "N" * 1_000_000},
        {"name": "a\0b"},
        {"owner": "\x1b[31m\u202e"},
        {"ranges": " ".join(f"10.{64 + n // 65536}.{n // 256 % 256}.{n % 256}/32" for n in range(2500))},
    ],
)
def test_forms_hold_the_same_lengths_and_characters(secadmin: FlaskClient, change: dict[str, str]) -> None:
    form = {"id": "fz", "name": "x", "layer": "cloud", "importance": "1", "internet": "conduit", "admission": "open"}
    assert post(secadmin, "/zoneplan/zone", form | change).status_code == 422
    assert secadmin.get("/zones/fz").status_code == 404
    way = {"id": "fc", "sources": "gov-cloud", "targets": "data-platform", "services": "any"}
    assert post(secadmin, "/conduits", way | {"reason": "R" * 2001}).status_code == 422
    assert post(secadmin, "/conduits", way | {"approver": "A" * 129}).status_code == 422


def test_a_form_loses_no_range_however_many_there_are(secadmin: FlaskClient, filled: Services) -> None:
    ranges = [f"10.240.{n // 256}.{n % 256}/32" for n in range(1500)]
    form = {"id": "many", "name": "x", "layer": "cloud", "importance": "1", "internet": "conduit", "admission": "open"}
    assert post(secadmin, "/zoneplan/zone", form | {"ranges": "\n".join(ranges)}).status_code == 302
    with filled.database.read() as session:
        assert list(service.get_zone(session, "many").zone.ranges) == ranges
    post(secadmin, "/zones/many/delete", {})


# --- who may --------------------------------------------------------------------------------------------------------------------

WRITES = [
    "/zones/water-ot",
    "/zones/water-ot/delete",
    "/zoneplan",
    "/zoneplan/zone",
    "/conduits",
    "/conduits/logs",
    "/conduits/logs/delete",
]


@pytest.mark.parametrize("role", ["leader", "analyst"])
def test_only_administrators_change_the_plan(app, role: str) -> None:  # type: ignore[no-untyped-def]
    browser = _as(app, role)
    for path in ("/zones", "/zones/water-ot", "/conduits", "/conduits/logs", "/zoneplan"):
        text = browser.get(path).text
        assert not [form for form in re.findall(r'<form[^>]*method="post"[^>]*>', text) if "logout" not in form], path
    for path in WRITES:
        assert post(browser, path, {"id": "x", "name": "x"}).status_code == 403
    assert browser.get("/zoneplan/zone").status_code == 403


@pytest.mark.parametrize("path", WRITES)
def test_a_form_without_our_token_is_refused(secadmin: FlaskClient, path: str) -> None:
    assert secadmin.post(path, data={"name": "x"}).status_code == 400
    assert (
        secadmin.post(
            path, data={"csrf_token": token_of(secadmin, "/account")}, headers={"Origin": "https://evil.example"}
        ).status_code
        == 400
    )


@pytest.mark.parametrize(
    "path",
    [
        "/zones?last=all",
        f"/zones?last=all&crossing={DENIED.replace('>', '%3E')}",
        "/zones/water-ot",
        "/conduits",
        "/conduits/logs",
        "/zoneplan",
        "/zoneplan/zone",
    ],
)
def test_pages_hold_no_inline_code_and_load_nothing_foreign(secadmin: FlaskClient, path: str) -> None:
    answer = secadmin.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style", answer.text)
    assert not re.findall(r'(?:src|href|action|hx-get)="(?:https?:)?//', answer.text)


def test_pages_are_chinese_unless_one_chooses(app) -> None:  # type: ignore[no-untyped-def]
    browser = app.test_client()
    log_in(browser)
    text = browser.get("/zones?last=all").text
    for words in ("区域态势", "智能中枢层", "水务工业控制网", "未许可", "流量矩阵"):
        assert words in text
    assert "违规外联：内部设备连接互联网" in browser.get("/zones/water-ot").text
    assert "已使用" not in text
    assert "Zone map" not in text


# --- elsewhere --------------------------------------------------------------------------------------------------------------------


def test_the_overview_tells_which_zones_violate_the_plan(client: FlaskClient) -> None:
    text = client.get("/?last=24h").text
    card = text[text.index('id="zones-now"') :]
    assert "Government extranet" in card[: card.index("</section>")]


def test_the_overview_has_the_live_map(client: FlaskClient) -> None:
    assert 'hx-get="/overview/map?last=24h"' in client.get("/?last=24h").text
    text = client.get("/overview/map?last=24h").text
    assert set(re.findall(r'<a class="zcard[^>]*href="/zones/([^"]+)"', text)) == {zone.id for zone in ZONES}
    assert text.count('<path class="line ') == client.get("/zones?last=24h").text.count('<path class="hit" ') > 0
    assert "with violations" in text


def test_the_live_map_says_when_the_store_is_away(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(window: object) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr("soc_ui.zones.live.flows.traffic", away)
    answer = client.get("/overview/map")
    assert answer.status_code == 200
    assert "cannot be read" in answer.text


def test_an_alert_leads_to_its_zones_and_devices(client: FlaskClient) -> None:
    first = re.search(r'<tr data-id="(\d+)"', client.get("/alerts?rule=zone-illegal-outbound").text)
    assert first is not None
    text = client.get(f"/alerts/{first[1]}").text
    assert '<a class="name" href="/zones/water-ot" title="water-ot">Water control network</a>' in text
    assert re.search(r'<a class="name" href="/assets/[^"]+">', text)
    client.set_cookie("lang", "zh")
    page = client.get(f"/alerts/{first[1]}").text
    assert "<h1>违规外联：内部设备连接互联网</h1>" in page
    assert "违规外联：内部设备连接互联网" in client.get("/rules?engine=zone").text
    assert "禁止访问互联网的区域中有设备与互联网地址通信" in client.get("/rules/zone-illegal-outbound").text


def test_hostile_names_and_crossings_stay_text(tmp_path: Path) -> None:
    services = fill(tmp_path, events=0)
    with services.database.write() as session:
        plan = ZonePlan(
            (
                Zone(id="a", name=EVIL, name_en=EVIL, owner=EVIL, layer="cloud", sensors=(EVIL,), ranges=("10.0.0.0/8",)),
                Zone(id="b", name="b", layer="operations"),
            ),
            (Conduit(id="c", sources=("a",), targets=("b",), services=("any",), reason=EVIL, approver=EVIL),),
        )
        service.import_plan(session, ADMIN, plan)
    crossings = ("a>b", f"{EVIL}>b", "a>gone", ">", "no arrow")
    events: list[Event] = [
        {
            "@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": event_id("evil", number), "zone.crossing": crossing,
            "zone.verdict": "denied", "zone.service": EVIL, "source.ip": EVIL, "destination.ip": EVIL, "source.zone": "a",
        }
        for number, crossing in enumerate(crossings)
    ]  # fmt: skip
    services.store.commit(Commit(events, consumer="t", position=1))
    browser = create_app(services).test_client()
    log_in(browser)
    browser.set_cookie("lang", "en")
    for path in (
        "/zones?last=all",
        "/zones?last=all&crossing=a%3Eb",
        "/zones/a",
        "/conduits",
        "/conduits/c",
        "/?last=30d",
        "/zones?last=all&zone=%22%3E%3Cscript%3E",
    ):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
    text = browser.get("/zones?last=all").text
    assert "2 flows name zones that are not in the plan any more" in text
    assert len(re.findall(r'class="flow ', text)) == 1


@pytest.mark.parametrize(
    "query", ["last=soon", "page=99999999999999999999", "page=-1", "sort=nothing", "verdict=x", "from=2026-11-23&to=2026-11-22"]
)
def test_addresses_that_make_no_sense(client: FlaskClient, query: str) -> None:
    assert client.get(f"/zones?{query}").status_code in (200, 400)
    assert client.get(f"/conduits?{query}").status_code == 200
