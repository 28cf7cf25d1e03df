"""Addresses, forms and records made to break the console: each gets a plain answer, none an error of ours."""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from kernel.event import Event, event_id
from kernel.store.contract import Commit, Quarantined
from kernel.store.lake import Lake
from operations.accounts import links
from operations.audit import service as audit
from soc_ui import times
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import log_in, post
from tests.soc_ui.seed import fill

BIG = "9" * 25
HUGE = "9" * 5000  # more digits than Python turns into a number


@pytest.mark.parametrize("path", ["/preferences?lang=en&next=//[", "/login?next=//["])
def test_an_address_that_is_none_leads_home(anonymous: FlaskClient, path: str) -> None:
    assert anonymous.get(path).status_code in (200, 302)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/alerts/{BIG}", 404),
        (f"/alerts/{HUGE}", 404),
        (f"/alerts/new?after={BIG}", 200),
        (f"/alerts/new?after={HUGE}", 200),
        (f"/alerts?status=new&cursor=2026-11-23T04:00:00.000000Z~{BIG[:19]}", 422),
        (f"/rules?page={BIG}", 200),
        ("/alerts?from=9999-12-31T23:59:00Z", 200),
        ("/hunt?from=9999-12-31T23:59:00Z", 200),
    ],
)
def test_numbers_and_moments_beyond_all_bounds(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("ids", [BIG, HUGE, "-1", "²"])
def test_ids_that_no_alert_can_have_are_nothing_selected(client: FlaskClient, ids: str) -> None:
    assert "done=nothing" in post(client, "/alerts/bulk", {"ids": ids, "action": "acknowledge"}).location


def test_forms_for_rows_that_cannot_be(client: FlaskClient, sysadmin: FlaskClient) -> None:
    assert post(sysadmin, f"/people/{BIG}", {"action": "off"}).status_code in (404, 405)
    assert post(client, f"/alerts/{BIG}/notes", {"note": "x"}).status_code == 404


def test_a_moment_without_local_time_is_shown_in_its_own(app: APIFlask) -> None:
    with app.test_request_context("/"):
        assert "9999-12-31 20:00:00" in times.show("9999-12-31T20:00:00.000000Z", "full")
        assert times.field_value("9999-12-31T20:00:00.000000Z") == "9999-12-31T20:00:00"


@pytest.fixture
def poisoned(tmp_path: Path) -> FlaskClient:
    """A console whose only events were written by somebody who wants its pages to fail."""
    services = fill(tmp_path, events=0)
    event: Event = {
        "@timestamp": "2026-11-23T04:00:00.000000Z",
        "event.id": event_id("poison"),
        "event.start": "9999-12-31T20:00:00.000000Z",
        "event.end": "0001-01-01T00:00:00.000000Z",
        "user.name": "a|b",
        "host.name": "h",
    }
    # One moment for all, as when a batch is refused.
    broken = [Quarantined(f"{n:032x}", "2026-11-23T04:00:00.000000Z", "tcp", "x", f"reason-{n}", b"\xff") for n in range(120)]
    assert isinstance(services.store, Lake)
    services.store.commit(Commit([event], quarantined=broken, consumer="test", position=1))
    browser = create_app(services).test_client()
    log_in(browser)
    browser.set_cookie("lang", "en")
    return browser


def test_an_event_with_impossible_dates_is_shown(poisoned: FlaskClient) -> None:
    answer = poisoned.get(f"/hunt/event/{event_id('poison')}")
    assert answer.status_code == 200
    assert "9999-12-31" in answer.text


def test_an_event_made_to_be_huge_gives_pages_of_ordinary_size(tmp_path: Path) -> None:
    services = fill(tmp_path, events=0)
    event: Event = {
        "@timestamp": "2026-11-23T04:00:00.000000Z",
        "event.id": event_id("huge"),
        "host.name": "seen-all-the-same",
        "message": "z" * 3_000_000,
        "tags": ["y" * 200] * 20_000,
        "user.name": ["u" * 5000] * 500,
        **{f"a.f{number}": "<x>" * 20 for number in range(20_000)},
    }
    assert isinstance(services.store, Lake)
    services.store.commit(Commit([event], consumer="test", position=1))
    browser = create_app(services).test_client()
    log_in(browser)
    page = browser.get(f"/hunt/event/{event_id('huge')}")
    assert page.status_code == 200
    assert len(page.data) < 3_000_000
    assert "seen-all-the-same" in page.text
    assert re.search(r"… \(\+19,\d{3}\)", page.text)
    table = browser.get("/hunt?last=all&cols=message,tags,user.name,summary")
    assert table.status_code == 200
    assert len(table.data) < 200_000


def test_quarantine_pages_show_every_record_once_though_all_came_at_one_moment(poisoned: FlaskClient) -> None:
    found: list[str] = []
    path: str | None = "/sources/quarantine"
    while path:
        page = poisoned.get(path)
        found += re_reasons(page.text)
        path = next_page(page.text)
    assert sorted(found) == sorted(f"reason-{n}" for n in range(120))


def test_a_bar_inside_a_phrase_is_no_pipe(poisoned: FlaskClient) -> None:
    answer = poisoned.get("/hunt", query_string={"q": 'user.name:"a|b" | top host.name', "last": "all"})
    assert answer.status_code == 200
    assert "user.name%3A%22a%7Cb%22+AND+host.name" in answer.text


def test_a_column_named_like_a_formula_is_text_in_the_export(client: FlaskClient) -> None:
    answer = post(client, "/hunt/export", {"q": "*", "last": "all", "format": "csv", "cols": '=HYPERLINK("//evil")'})
    header = next(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert header == ["@timestamp", "event.id", '\'=HYPERLINK("//evil")']


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("/hunt?q=user.name:root&last=7d", "events.search"),
        ("/hunt/top?q=user.name:root&field=host.name", "events.top"),
    ],
)
def test_who_looked_for_what_is_in_the_audit_trail(client: FlaskClient, filled: Services, path: str, action: str) -> None:
    client.get(path)
    with filled.database.read() as session:
        entry = audit.listing(session, action=action, limit=1).entries[0]
    assert (entry.detail["query"], entry.actor) == ("user.name:root", "lin.mei")


def test_the_first_session_of_the_set_up_link_is_in_the_audit_trail(tmp_path: Path) -> None:
    services = fill(tmp_path, events=0, with_account=False)
    with services.database.write() as session:
        token = links.create_setup_token(session)
    browser = create_app(replace(services)).test_client()
    form = {"token": token, "name": "first", "password": "Correct-Horse-7", "again": "Correct-Horse-7"}
    assert post(browser, "/setup", form, page="/login").status_code == 200
    with services.database.read() as session:
        assert [entry.actor for entry in audit.listing(session, action="session.login").entries] == ["first"]


def re_reasons(text: str) -> list[str]:
    return re.findall(r"reason-\d+", text)


def next_page(text: str) -> str | None:
    found = re.search(r'href="([^"]+)" rel="next"', text)
    return html.unescape(found[1]) if found else None
