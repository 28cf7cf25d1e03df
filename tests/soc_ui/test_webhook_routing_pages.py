"""The form of a webhook's routing: rules without script, what is wrong beside its field, and a rehearsal that saves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from crypto.secret import MasterKey
from kernel.zones.plan import Zone
from operations.audit.schema import SYSTEM
from operations.webhooks import service
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.outbox import announce
from operations.zones import service as zones
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill

NOTHING: dict[str, Any] = {"types": [], "min_level": "", "zones": [], "organisations": []}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("routing"), events=0)
    services = replace(made, master_key=MasterKey(b"0123456789abcdef"), webhook_policy=WebhookPolicy(allow=("127.0.0.0/8",)))
    with services.database.write() as session:
        zones.save_zone(
            session, SYSTEM, Zone(id="gov", name="政务云", name_en="Government cloud", layer="cloud", owner="水务局", importance=5)
        )
    return services


@pytest.fixture(scope="module")
def open_as(filled: Services) -> Callable[[str], FlaskClient]:
    app = create_app(filled)
    return lambda lang: browser_of(app, ADMINISTRATORS["sysadmin"][0], lang)


@pytest.fixture(scope="module")
def browser(open_as: Callable[[str], FlaskClient]) -> FlaskClient:
    return open_as("en")


@pytest.fixture
def target(filled: Services) -> Any:
    with filled.database.write() as session:
        url = "http://127.0.0.1:9/"
        made, _ = service.create_target(
            session, SYSTEM, filled.master_key, name="duty", url=url, min_level="low", policy=filled.webhook_policy
        )
    return made


def routing_of(filled: Services, target: Any) -> Any:
    with filled.database.read() as session:
        return service.get_target(session, target.id).routing


def send(browser: FlaskClient, target: Any, **form: Any) -> Any:
    form = {name.replace("__", "."): value for name, value in form.items()}
    given = {"version": "1", "rules": "2", "min_level": "low", "quiet.through": "critical", "digest.through": "critical"}
    return post(browser, f"/webhooks/{target.id}/routing", given | form, page="/account")


def test_rules_quiet_hours_and_digest_are_saved_shown_and_saved_again(browser: FlaskClient, filled: Services, target: Any) -> None:
    answer = send(
        browser, target, min_level="medium", r0__types=["alert.created", "incident.*"], r0__min_level="high", r0__zones="gov",
        r0__organisations="水务局", r0__others="卫健委\r\n\r\n住建局", r0__start="09:00", r0__end="18:00", r0__days=["1", "5"],
        r1__days=["6", "7"], quiet__start="22:00", quiet__end="07:00", quiet__through="high", digest="15", digest__through="",
    )  # fmt: skip
    assert answer.status_code == 302, answer.text
    wanted = {
        "rules": [
            {
                "types": ["alert.created", "incident.*"], "min_level": "high", "zones": ["gov"],
                "organisations": ["水务局", "卫健委", "住建局"], "hours": {"start": "09:00", "end": "18:00", "days": [1, 5]},
            },
            NOTHING | {"hours": {"start": "00:00", "end": "00:00", "days": [6, 7]}},
        ],
        "quiet": {"start": "22:00", "end": "07:00", "days": [1, 2, 3, 4, 5, 6, 7], "through": "high"},
        "digest": {"minutes": 15, "through": ""},
    }  # fmt: skip
    assert routing_of(filled, target) == wanted
    shown = browser.get(f"/webhooks/{target.id}").text
    assert (
        "New alert, Everything of incidents; from level High; Government cloud; 水务局, 卫健委, 住建局; Mon, Fri 09:00–18:00"
        in shown
    )
    assert "Sat, Sun all day" in shown
    assert "Digest: every 15 minutes" in shown
    page = browser.get(f"/webhooks/{target.id}/routing").text
    again = post(browser, f"/webhooks/{target.id}/routing", fields_of(page), page="/account")
    assert again.status_code == 302
    assert routing_of(filled, target) == wanted


def fields_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the form as it stands."""
    form = page[page.index('id="routing"') : page.index('id="rehearsal"')]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "csrf_token" and ("checkbox" not in tag or "checked" in tag):
            found.setdefault(name[1], []).append(value[1] if value else "")
    for name, options in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = [chosen[1] if chosen else re.findall(r'value="([^"]*)"', options)[0]]
    for name, text in re.findall(r'<textarea name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = [text]
    return found


def test_the_first_submit_button_saves(browser: FlaskClient, target: Any) -> None:
    page = browser.get(f"/webhooks/{target.id}/routing").text
    form = page[page.index('id="routing"') : page.index('id="rehearsal"')]
    buttons = re.findall(r"<button [^>]*>", form)
    assert "name=" not in buttons[0]
    assert [button for button in buttons if 'value="preview"' in button]


def test_a_rule_is_added_removed_and_one_without_conditions_stays(browser: FlaskClient, filled: Services, target: Any) -> None:
    more = send(browser, target, act="more", r0__types="ticket.*", rules="1").text
    assert 'name="r1.types"' in more
    assert 'name="r2.types"' not in more
    assert routing_of(filled, target)["rules"] == []
    send(browser, target, r0__everything="on", r1__types="ticket.*")
    assert [rule["types"] for rule in routing_of(filled, target)["rules"]] == [[], ["ticket.*"]]
    send(browser, target, version="2", r0__everything="on", r1__types="ticket.*", r1__remove="on")
    assert [rule["types"] for rule in routing_of(filled, target)["rules"]] == [[]]
    assert 'name="r0.everything" value="on" checked' in browser.get(f"/webhooks/{target.id}/routing").text


@pytest.mark.parametrize(
    ("form", "place", "told"),
    [
        ({"r0__types": "<script>alert(1)</script>"}, 'id="wrong"', "Choose kinds of event from the list."),
        ({"r1__start": "9:00", "r1__end": "18:00"}, 'name="r0.start"', "Write both times as HH:MM"),
        ({"r0__start": "09:00"}, 'name="r0.start"', "Write both times as HH:MM"),
        ({"r0__days": ["8"]}, 'id="wrong"', "Choose days from the list."),
        ({"r0__others": "\n".join(f"o{n}" for n in range(51))}, 'name="r0.others"', "At most 50 entries"),
        ({"r0__min_level": "huge"}, 'name="r0.min_level"', "Choose a level"),
        ({"min_level": "huge"}, 'name="min_level"', "Choose a level"),
        ({"quiet__start": "22:00"}, 'id="wrong"', "Write both times as HH:MM"),
        ({"digest": "0"}, 'name="digest"', "from 1 to 1440"),
        ({"digest": "x"}, 'name="digest"', "from 1 to 1440"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    browser: FlaskClient, filled: Services, target: Any, form: dict[str, Any], place: str, told: str
) -> None:
    answer = send(browser, target, **form)
    assert answer.status_code == 422
    tag = re.search(rf"<[^>]*{re.escape(place)}[^>]*>", answer.text)
    assert tag
    assert place == 'id="wrong"' or 'aria-invalid="true"' in tag[0]
    assert re.search(rf'<small class="field-wrong" id="wrong" role="alert">[^<]*{re.escape(told)}', answer.text)
    assert "<script>alert" not in answer.text
    assert routing_of(filled, target)["rules"] == []


def test_a_form_from_before_anothers_change_is_refused(browser: FlaskClient, target: Any) -> None:
    assert send(browser, target, r0__types="ticket.*").status_code == 302
    late = send(browser, target, r0__types="duty.*")
    assert late.status_code == 409
    assert "Somebody else changed this webhook" in late.text


def test_the_rehearsal_judges_the_last_notifications_and_saves_nothing(browser: FlaskClient, filled: Services, target: Any) -> None:
    with filled.database.write() as session:
        announce(
            session, "incident.created", {"id": 3, "number": "SJ-2026-0003", "severity": "high", "zones": ["gov"]}, level="high"
        )
        announce(session, "ticket.created", {"id": 9, "title": "not for these eyes"})
        announce(session, "playbook.question", {"id": 4}, level="medium")
    page = send(browser, target, act="preview", r0__types="incident.*", r0__zones="gov")
    assert page.status_code == 200
    found = page.text[page.text.index('id="rehearsal"') :]
    rows = re.findall(r"<tr><td.*?</tr>", found, re.DOTALL)
    gone = [row for row in rows if "goes at once" in row]
    assert len(gone) == 1
    assert "SJ-2026-0003" in gone[0]
    assert "Rule 1" in gone[0]
    assert "not for these eyes" not in page.text
    assert [row for row in rows if "no rule lets it through" in row and "New ticket" in row]
    assert routing_of(filled, target)["rules"] == []
    high = send(browser, target, act="preview", min_level="high").text
    assert "below the level" in high[high.index('id="rehearsal"') :]
    late = send(browser, target, act="preview", digest="1440", digest__through="").text
    assert "goes later" in late
    assert send(browser, target, act="preview", digest="x").status_code == 422


def test_the_form_is_chinese(open_as: Callable[[str], FlaskClient], target: Any) -> None:
    page = open_as("zh").get(f"/webhooks/{target.id}/routing").text
    assert all(word in page for word in ("分发规则", "新告警", "政务云", "免打扰时段", "合并发送", "周一", "预演"))
    assert "Everything of" not in page
