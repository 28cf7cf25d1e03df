"""Pages of indicators: roles, adding, importing with a check before, changing, revoking, hits, hostile values and files."""

from __future__ import annotations

import html
import json
import re
from io import BytesIO
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from detectors.intel import IntelDetector
from kernel.event import Event, event_id
from kernel.indicators.index import Index, write_index
from kernel.query import parse_query
from kernel.store.contract import TimeRange
from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.indicators import service
from operations.indicators.models import IndicatorRow
from operations.indicators.publish import in_force
from operations.indicators.schema import Candidate
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones

SCRIPT = "<script>alert(1)</script>"
HUGE = "9" * 5000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("intel"), events=60)
    fill_zones(services, events=300)
    create_user(services.database, SYSTEM, "the.leader", PASSWORD, "leader")
    create_user(services.database, SYSTEM, "water.analyst", PASSWORD, "analyst", reach=Reach(zones=("water-ot",)))
    return services


def enter(browser: FlaskClient, value: str, **more: str) -> str:
    """Add a value by hand; the address of its page."""
    answer = post(browser, "/intel", {"value": value, **more})
    assert answer.status_code == 302, answer.text
    return str(answer.location).partition("?")[0]


def bring(browser: FlaskClient, octets: bytes | str, *, file: str = "", check: bool = False, **more: str) -> Any:
    """Send the form of the import: a file where it has a name, else as pasted."""
    form: dict[str, Any] = {"origin": "a feed", **more} | ({"check": "1"} if check else {})
    form |= {"file": (BytesIO(octets if isinstance(octets, bytes) else octets.encode()), file)} if file else {"text": octets}
    return post(browser, "/intel/import", form)


def stored(services: Services) -> int:
    with services.database.read() as session:
        return session.execute(select(func.count()).select_from(IndicatorRow)).scalar_one()


def counts(page: str) -> list[int]:
    """New, brought up to date, as before, taken back, refused."""
    return [int(number.replace(",", "")) for number in re.findall(r"<span>[^<>]+ <b>([\d,]+)</b></span>", page)][:5]


def test_who_may_see_and_who_may_write(app: APIFlask, anonymous: FlaskClient) -> None:
    here = enter(browser_of(app, USER), "198.51.100.1")
    assert anonymous.get("/intel").status_code == 302
    for name in ("the.leader", ADMINISTRATORS["secadmin"][0]):
        browser = browser_of(app, name)
        for path in ("/intel", here):
            page = browser.get(path)
            assert (page.status_code, 'method="post" action="/intel' in page.text) == (200, False)
        assert browser.get("/intel/import").status_code == 403
        for path in ("/intel", here, "/intel/import"):
            assert post(browser, path, {"value": "198.51.100.2", "origin": "x", "text": "198.51.100.2"}).status_code == 403
    for name in (ADMINISTRATORS["sysadmin"][0], ADMINISTRATORS["auditadmin"][0], "water.analyst"):
        browser = browser_of(app, name)
        for path in ("/intel", here, "/intel/import", "/intel/value?value=198.51.100.1"):
            assert browser.get(path).status_code == 403
        assert post(browser, "/intel", {"value": "198.51.100.2"}).status_code == 403
        assert 'href="/intel"' not in browser.get("/account").text


def test_no_form_without_the_token(client: FlaskClient) -> None:
    here = enter(client, "198.51.100.3")
    for path in ("/intel", "/intel/import", here):
        assert client.post(path, data={"value": "198.51.100.4", "origin": "x", "text": "198.51.100.4"}).status_code == 400


@pytest.mark.parametrize(
    ("typed", "kind", "kept"),
    [
        ("198[.]51[.]100[.]105", "IP address", "198.51.100.105"),
        ("2001:DB8::0:5", "IP address", "2001:db8::5"),
        ("198.18.5.77/28", "Network", "198.18.5.64/28"),
        ("2001:db8:5::1/48", "Network", "2001:db8:5::/48"),
        ("*.Evil[.]Example.", "Domain", "*.evil.example"),
        ("恶意.example", "Domain", "xn--s6rw7c.example"),
        ("hxxps://Evil.example:443/Pay#x", "URL", "https://evil.example/Pay"),
        ("AB" * 32, "File hash", "ab" * 32),
        ("Boss[at]evil.example", "E-mail address", "boss@evil.example"),
    ],
)
def test_a_value_is_kept_as_it_is_written(client: FlaskClient, typed: str, kind: str, kept: str) -> None:
    if kept.startswith("xn--"):
        kept = "恶意".encode("idna").decode() + ".example"
    page = client.get(enter(client, typed, note="a note of ours")).text
    assert f'<bdi dir="ltr" class="mono">{kept}</bdi>' in page
    assert kind in page
    assert "a note of ours" in page
    assert client.get("/intel/value", query_string={"value": kept}).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"value": " "}, "The value is missing."),
        ({"value": "two words"}, "A value is one word."),
        ({"value": SCRIPT}, "is no domain name."),
        ({"value": "10.1.2.3"}, "Such addresses name nobody in particular"),
        ({"value": "fe80::1"}, "Such addresses name nobody in particular"),
        ({"value": "8.8.8.8"}, "It is a public resolver"),
        ({"value": "203.0.0.0/8"}, "A network wider than /16 holds whole providers."),
        ({"value": "*.gov.cn"}, "Under this name anybody registers names."),
        ({"value": "198.51.100.106", "confidence": "101"}, "The confidence is a number from 0 to 100."),
        ({"value": "198.51.100.106", "confidence": "-1"}, "The confidence is a number from 0 to 100."),
        ({"value": "198.51.100.106", "valid_until": "2020-01-01T00:00"}, "It ended 2019-12-31."),
        ({"value": "198.51.100.106", "valid_until": "soon"}, "This is no moment."),
        ({"value": "198.51.100.106", "valid_until": HUGE}, "This is no moment."),
        ({"value": "198.51.100.106", "tlp": SCRIPT}, "TLP"),
        ({"value": "x" * 3000}, "2048"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    client: FlaskClient, filled: Services, form: dict[str, str], words: str
) -> None:
    before = stored(filled)
    answer = post(client, "/intel", form)
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    assert SCRIPT not in answer.text
    assert f'value="{html.escape(form["value"])[:100]}' in answer.text.replace("&#39;", "'").replace("&#34;", '"')
    assert stored(filled) == before


def test_the_same_value_again_is_a_conflict_until_it_is_revoked(client: FlaskClient) -> None:
    here = enter(client, "198.51.100.107")
    again = post(client, "/intel", {"value": "198[.]51.100.107"})
    assert (again.status_code, "198.51.100.107 stands here already." in again.text) == (409, True)
    assert post(client, here, {"act": "revoke", "version": "1", "reason": "ours"}).status_code == 302
    assert "Watch for it again" in client.get(here).text
    assert enter(client, "198.51.100.107") == here


def test_change_and_revoke_are_bound_to_what_was_seen(client: FlaskClient, filled: Services) -> None:
    here = enter(client, "198.51.100.108")
    assert post(client, here, {"act": "change", "version": "1", "confidence": "20", "note": SCRIPT}).status_code == 302
    page = client.get(here).text
    assert SCRIPT not in page
    assert html.escape(SCRIPT) in page
    for form in (
        {"act": "change", "version": "1", "confidence": "30"},
        {"act": "revoke", "version": "1", "reason": "x"},
        {"act": "revoke", "version": HUGE, "reason": "x"},
        {"act": "revoke", "reason": "x"},
    ):
        answer = post(client, here, form)
        assert answer.status_code == 409
        assert "Somebody else changed this in the meantime" in answer.text
    for form in (
        {"act": "change", "version": "2", "confidence": "x"},
        {"act": "change", "version": "2", "confidence": "3", "note": "n" * 501},
        {"act": "revoke", "version": "2", "reason": " "},
    ):
        assert post(client, here, form).status_code == 422
    assert post(client, here, {"act": "revoke", "version": "2", "reason": "a scanner of ours"}).status_code == 302
    assert post(client, here, {"act": "revoke", "version": "3", "reason": "again"}).status_code == 409
    with filled.database.read() as session:
        query = select(AuditEntry.action).where(
            AuditEntry.object_type == "indicator", AuditEntry.object_id == here.rpartition("/")[2]
        )
        assert list(session.execute(query.order_by(AuditEntry.id)).scalars()) == [
            "indicator.add",
            "indicator.change",
            "indicator.revoke",
        ]


@pytest.mark.parametrize("path", ["/intel/999999", f"/intel/{'9' * 25}", f"/intel/{HUGE}", "/intel/-1", "/intel/x"])
def test_what_is_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert post(client, path, {"act": "revoke", "version": "1", "reason": "x"}).status_code in (404, 405)


def test_a_check_stores_nothing_and_names_what_is_refused(client: FlaskClient, filled: Services) -> None:
    before = stored(filled)
    octets = "# a list\n198.51.100.20\n198.51.100.20\n2001:db8:20::/48\n10.0.0.1\n" + SCRIPT + "\n"
    page = bring(client, octets, check=True)
    assert page.status_code == 200
    assert "What would happen" in page.text
    assert counts(page.text)[0] == 2
    assert counts(page.text)[4] == 2
    assert "line 5" in page.text
    assert "Such addresses name nobody in particular" in page.text
    assert html.escape(SCRIPT) in page.text
    assert SCRIPT not in page.text
    assert 'value="a feed"' in page.text
    assert stored(filled) == before
    done = bring(client, octets, file="list.txt")
    assert "Result of the import" in done.text
    assert counts(done.text)[0] == 2
    assert stored(filled) == before + 2
    assert counts(bring(client, octets, file="list.txt").text)[:3] == [0, 0, 2]


def test_the_forms_of_files_are_recognised(client: FlaskClient) -> None:
    table = (
        'value,kind,confidence,tlp,note\n198.51.100.30,address,90,green,"=cmd|x"\n*.table.example,domain,,,\n198.51.100.31,,900,,\n'
    )
    found = counts(bring(client, table, file="t.csv").text)
    assert (found[0], found[4]) == (2, 1)
    bundle = {
        "type": "bundle", "id": "bundle--1",
        "objects": [
            {"type": "indicator", "id": "indicator--1", "pattern_type": "stix",
             "pattern": "[ipv4-addr:value = '198.51.100.32' OR ipv6-addr:value = '2001:db8:32::1']"},
            {"type": "indicator", "id": "indicator--2", "pattern_type": "stix",
             "pattern": "[url:value = 'http://a.example/' AND ipv4-addr:value = '198.51.100.33']"},
        ],
    }  # fmt: skip
    page = bring(client, json.dumps(bundle), file="bundle.json").text
    assert (counts(page)[0], counts(page)[4]) == (2, 1)
    assert "The pattern asks for several things together" in page
    event = {"Event": {"info": "case", "uuid": "u", "Attribute": [
        {"type": "ip-dst", "value": "198.51.100.34", "to_ids": True}, {"type": "ip-dst", "value": "198.51.100.35", "to_ids": False},
        {"type": "comment", "value": "x", "to_ids": True},
    ]}}  # fmt: skip
    page = bring(client, json.dumps(event)).text
    assert (counts(page)[0], counts(page)[4]) == (1, 1)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" \n\n",
        b'{"type": "bundle"',
        b'{"type": "bundle", "objects": null}',
        b'{"response": null}',
        b"[" * 100_000,
        b"value,colour\n198.51.100.40,red\n",
        b"value,value\n198.51.100.40,x\n",
    ],
)
def test_a_file_that_is_none_as_a_whole(client: FlaskClient, filled: Services, octets: bytes) -> None:
    before = stored(filled)
    for check in (True, False):
        answer = bring(client, octets, file="x.csv" if octets.startswith(b"value") else "x", check=check)
        assert answer.status_code == 422
        assert "ui-problem" in answer.text or "problem" in answer.text
    assert stored(filled) == before


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\xff\xfe\x00binary\x00\n" * 20,
        b"x" * 1_000_000,
        b'value\n"' + b"y" * 200_000 + b'"\n',
        b"value,note\n\x00,\x00\n\xff\xfe,a,b,c\n",
        json.dumps({"type": "bundle", "objects": [
            1, None, [], {"type": "indicator"}, {"type": "indicator", "pattern": 7}, {"type": "indicator", "pattern": "[" * 5000},
            {"type": "indicator", "pattern": "[ipv4-addr:value = '198.51.100.41']", "confidence": 1000, "external_references": [1]},
            {"type": "indicator", "pattern": "[ipv4-addr:value = '198.51.100.41']", "valid_until": "soon", "name": 5, "id": 9},
            {"type": "indicator", "pattern": "[domain-name:value = '\\'; DROP TABLE indicators']", "object_marking_refs": [{}]},
        ]}).encode(),
        json.dumps([{"Event": {"Attribute": [
            1, {"to_ids": True}, {"to_ids": True, "type": [], "value": "x"}, {"to_ids": True, "type": "domain|ip", "value": "x"},
        ], "Object": 7, "Tag": [{"name": 5}, 6]}}, "x", {"Event": None}]).encode(),
    ],
)  # fmt: skip
def test_hostile_content_is_refused_piece_by_piece(client: FlaskClient, filled: Services, octets: bytes) -> None:
    before = stored(filled)
    answer = bring(client, octets, file="x.csv" if octets.startswith(b"value") else "x")
    assert (answer.status_code, counts(answer.text)[0]) == (200, 0), answer.text[:2000]
    assert counts(answer.text)[4] > 0
    assert stored(filled) == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"origin": ""}, "Origin"),
        ({"origin": "hand"}, "hand"),
        ({"origin": "x" * 65}, "64"),
        ({"confidence": "101"}, "from 0 to 100"),
        ({"form": "zip"}, "zip"),
    ],
)
def test_an_import_says_what_is_wrong_with_the_form(
    client: FlaskClient, filled: Services, form: dict[str, str], words: str
) -> None:
    before = stored(filled)
    answer = bring(client, "198.51.100.50\n", **form)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert stored(filled) == before


def test_a_file_beyond_the_bound_is_too_large(client: FlaskClient) -> None:
    assert bring(client, b"198.51.100.50\n" * 400_000, file="large.txt").status_code == 413


def test_the_list_in_pages_and_by_filters(app: APIFlask, filled: Services) -> None:
    values = [f"192.0.2.{number}" for number in range(120)]
    service.bring_in(filled.database, SYSTEM, [Candidate(value) for value in values], origin="pages & <b>more</b>")
    browser = browser_of(app, USER)
    address, seen = "/intel?" + "origin=pages+%26+%3Cb%3Emore%3C%2Fb%3E", []
    while address:
        page = browser.get(address)
        assert page.status_code == 200
        assert "<b>more</b>" not in page.text
        seen += re.findall(r'<bdi dir="ltr" class="mono">([^<]+)</bdi>', page.text)
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = html.unescape(following[1]) if following else ""
    assert seen == values[::-1]
    assert browser.get("/intel?q=192.0.2.11").text.count("<tr data-id=") == 11
    assert browser.get("/intel?q=%25").text.count("<tr data-id=") == 0
    assert browser.get("/intel?state=revoked&kind=network").text.count("<tr data-id=") == 0
    assert browser.get("/intel?met=1&q=192.0.2").text.count("<tr data-id=") == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("kind=colour&state=gone", 200),
        ("q=%00%F0%28&origin=%00", 200),
        ("q=" + "x" * 4000, 200),
        ("cursor=-1", 422),
        ("cursor=%C2%B2", 422),
        ("cursor=" + HUGE, 422),
        ("cursor=" + "9" * 18, 200),
    ],
)
def test_hostile_addresses_of_the_list(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/intel?{query}").status_code == status


def test_the_way_from_a_value_to_its_page_leads_nowhere_else(client: FlaskClient) -> None:
    here = enter(client, "198.51.100.60")
    assert client.get("/intel/value?value=198.51.100.60").location == here
    for value in ("//evil.example", "https://evil.example/", "\0", "x" * 5000, ""):
        answer = client.get("/intel/value", query_string=MultiDict({"value": value}))
        assert answer.status_code == 302
        assert answer.location.startswith("/intel?") or answer.location == "/intel"
        assert client.get(answer.location).status_code == 200


def event_of(number: int, **fields: object) -> Event:
    return {
        "@timestamp": f"2026-11-23T04:00:{number:02d}.000000Z", "event.id": event_id(f"intel {number}"), "event.dataset": "test",
        **fields,
    }  # type: ignore[typeddict-item]  # fmt: skip


def met(services: Services, folder: Any, *events: Event) -> None:
    """The events meet the indicators in force, as in a worker."""
    with services.database.read() as session:
        write_index(folder / "indicators.db", "1", in_force(session))
    index = Index(folder / "indicators.db")
    found = IntelDetector(lambda: index).process(list(events))
    with services.database.write() as session:
        alerts.record_detections(session, found)


def test_hits_are_counted_and_lead_to_their_alerts(client: FlaskClient, filled: Services, tmp_path: Any) -> None:
    address = "http://hits.example/" + "Long" * 200
    pages = {value: enter(client, value) for value in ("198.51.100.70", "2001:db8:9970::/48", address)}
    met(
        filled, tmp_path, event_of(1, **{"source.ip": "10.60.0.9", "destination.ip": "198.51.100.70"}),
        event_of(2, **{"source.ip": "2001:db8:9970::9", "destination.ip": "10.60.0.9"}),
        event_of(3, **{"source.ip": "10.60.0.9", "url.full": address}),
    )  # fmt: skip
    for value, here in pages.items():
        page = client.get(here).text
        assert "1 alert" in page, value
        link = re.search(r'href="(/alerts\?entity=[^"]+)"', page)
        assert link is not None
        assert client.get(html.unescape(link[1])).text.count("<tr data-id=") == 1, value
        row = re.search(rf'<tr data-id="{here.rpartition("/")[2]}".*?</tr>', client.get("/intel?met=1").text, re.DOTALL)
        assert row is not None, value
        assert ">1</a>" in row[0], value


def test_it_speaks_chinese(app: APIFlask) -> None:
    browser = browser_of(app, USER, "zh")
    assert "失陷指标" in browser.get("/intel").text
    assert (
        "城市" in post(browser, "/intel", {"value": "10.60.0.9"}).text
        or "地址" in post(browser, "/intel", {"value": "10.60.0.9"}).text
    )


def test_events_of_the_past_are_looked_for_in_the_field_of_the_kind(client: FlaskClient, filled: Services) -> None:
    """The link on the page is a query that the store understands."""
    for value, field in (
        ("198.51.100.80", "destination.ip"),
        ("http://q.example/a?b=(c)&d=%22", "url.full"),
        ("*.q.example", "dns.question.name"),
    ):
        page = client.get(enter(client, value)).text
        link = next(html.unescape(one) for one in re.findall(r'href="(/hunt\?[^"]+)"', page) if field in one)
        assert client.get(link).status_code == 200
    assert filled.store.count(parse_query("destination.ip:198.51.100.80"), TimeRange()) == 0
