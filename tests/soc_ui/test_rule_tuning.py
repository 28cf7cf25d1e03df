"""Rule tuning in console and API: figures, traits, exceptions with two pairs of eyes, switched-off rules."""

from __future__ import annotations

import re
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sigma.filters import SigmaFilter

from kernel.store.contract import Commit
from operations import clock
from operations.accounts import service as accounts
from operations.accounts.schema import DAY, Reach
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter, Change
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_desk import WATER
from tests.soc_ui.seed_zones import fill_zones

NET = "6f3e2987-db24-4c78-a860-b4f4095a7095"  # low
ENCODED = "ca2092a1-c273-4878-9b4b-0d60115bf5ea"  # high
SECOND = "an.quan2"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("tuning"), events=200)
    fill_zones(services, events=200)
    accounts.create_user(services.database, SYSTEM, SECOND, PASSWORD, "secadmin")
    accounts.create_user(services.database, SYSTEM, "shui.wu", PASSWORD, "bureau", reach=Reach(organisations=(WATER,)))
    accounts.create_user(services.database, SYSTEM, "limited", PASSWORD, "analyst", reach=Reach(organisations=(WATER,)))
    with services.database.write() as session:
        for rule, verdicts in ((ENCODED, ("false_positive", "false_positive", "true_positive")), (NET, ("benign",))):
            ids = alerts.matching_ids(session, AlertFilter(rule=(rule,)), len(verdicts))
            for alert_id, verdict in zip(ids, verdicts, strict=True):
                alerts.change_alerts(session, SYSTEM, [alert_id], Change(status="closed", verdict=verdict))
    return services


@pytest.fixture
def console(city: Services) -> APIFlask:
    return create_app(city)


@pytest.fixture
def lin(console: APIFlask) -> FlaskClient:
    return browser_of(console, USER)


@pytest.fixture
def an(console: APIFlask) -> FlaskClient:
    return browser_of(console, ADMINISTRATORS["secadmin"][0])


@pytest.fixture
def quan(console: APIFlask) -> FlaskClient:
    return browser_of(console, SECOND)


def api(browser: FlaskClient, method: str, path: str, match: str = "", **more: Any) -> Any:
    headers = {"X-CSRFToken": token_of(browser, "/account"), **({"If-Match": match} if match else {})}
    return browser.open(f"/api/v1/rule-tuning{path}", method=method, headers=headers, **more)


def proposal(rule: str = ENCODED, **more: Any) -> dict[str, Any]:
    conditions = [{"field": "user.name", "operator": "equals", "value": more.pop("user", "svc_backup")}]
    ending = clock.shift(clock.now(), 30 * DAY)
    return {"rule": rule, "conditions": conditions, "reason": "backup", "expires_at": ending, **more}


def test_the_rules_stand_by_wasted_work_with_facets_order_and_period(lin: FlaskClient, an: FlaskClient) -> None:
    page = lin.get("/rules/tuning").text
    rows = re.findall(r'<tr data-id="([^"]+)"', page)
    assert rows[0] == ENCODED
    assert NET in rows
    assert "67 %" in page
    assert NET not in re.findall(r'<tr data-id="([^"]+)"', lin.get("/rules/tuning?level=high").text)
    assert re.findall(r'<tr data-id="([^"]+)"', lin.get(f"/rules/tuning?q={NET}").text) == [NET]
    for address in ("?days=7", "?days=90", "?days=x", "?sort=-alerts", "?sort=x", "?page=99", "?engine=nothing"):
        assert lin.get(f"/rules/tuning{address}").status_code == 200
    assert an.get("/rules/tuning").status_code == 200


def test_a_rules_page_has_the_same_figures(lin: FlaskClient) -> None:
    page = lin.get(f"/rules/{ENCODED}").text
    assert "By verdicts, 30 days" in page
    assert "67 %" in page
    assert f"/rules/exceptions/new?rule={ENCODED}" in page


def test_the_api_pages_through_the_figures(lin: FlaskClient) -> None:
    whole = api(lin, "GET", "?limit=500").json
    assert whole["rules"][0]["rule_id"] == ENCODED
    assert (whole["rules"][0]["false_positives"], whole["rules"][0]["closed"]) == (2, 3)
    assert sum(whole["rules"][0]["days"]) == whole["rules"][0]["alerts"]
    first = api(lin, "GET", "?limit=2").json
    second = api(lin, "GET", f"?limit=500&cursor={first['next_cursor']}").json
    assert [one["rule_id"] for one in first["rules"] + second["rules"]] == [one["rule_id"] for one in whole["rules"]]
    assert whole["next_cursor"] == ""
    for wrong in ("?days=8", "?cursor=x", "?sort=name", "?nothing=1"):
        assert api(lin, "GET", wrong).status_code == 422, wrong


def test_an_alert_closed_as_false_positive_offers_an_exception_filled_in_from_it(city: Services, lin: FlaskClient) -> None:
    with city.database.read() as session:
        [false, *_] = alerts.matching_ids(session, AlertFilter(rule=(ENCODED,), verdict=("false_positive",)), 1)
        [other] = alerts.matching_ids(session, AlertFilter(rule=(ENCODED,), status=("new",)), 1)
        row = alerts.get_alert(session, false)
    link = f"/rules/exceptions/new?alert={false}"
    assert link in lin.get(f"/alerts/{false}").text
    assert "/rules/exceptions/new" not in lin.get(f"/alerts/{other}").text
    form = lin.get(link).text
    assert 'value="host.name"' in form
    assert f'value="{row.user}"' in form
    assert "What it would have hidden" in form


def test_an_exception_from_proposal_to_end_in_the_console(city: Services, lin: FlaskClient, an: FlaskClient) -> None:
    form: dict[str, Any] = {
        "rule": ENCODED, "field": ["user.name", ""], "operator": ["wildcard", "equals"], "value": ["*<b>nobody</b>*", ""],
        "reason": "a <script>", "days": "30", "owner": "", "alert": "",
    }  # fmt: skip
    looked = post(lin, "/rules/exceptions", {**form, "act": "preview"})
    assert looked.status_code == 200
    assert "&lt;b&gt;nobody" in looked.text
    assert post(lin, "/rules/exceptions", {**form, "reason": ""}).status_code == 422
    assert post(lin, "/rules/exceptions", {**form, "days": "999"}).status_code == 422
    assert post(lin, "/rules/exceptions", {**form, "operator": ["cidr", ""]}).status_code == 422
    assert post(lin, "/rules/exceptions", {**form, "rule": "nothing"}).status_code == 404
    made = post(lin, "/rules/exceptions", form)
    assert made.status_code == 302
    here = made.location.split("?")[0]
    page = lin.get(here).text
    assert "<script>" not in page.replace("<script src", "")
    assert "Waits for approval" in page
    assert "/approve" not in page
    assert post(lin, f"{here}/approve", {"version": "1"}).status_code == 403
    assert 'class="count hot"' in an.get("/rules/exceptions").text
    assert "/approve" in an.get(here).text
    assert post(an, f"{here}/approve", {"version": "7"}).status_code == 409
    assert post(an, f"{here}/approve", {"version": "1"}).status_code == 302
    city.store.commit(Commit([], counters={f"held_back.{here.rpartition('/')[2]}": 4321}, consumer="x", position=1))
    assert "4,321" in an.get("/rules/exceptions").text
    assert post(lin, f"{here}/lift", {"version": "2", "note": " "}).status_code == 422
    assert post(lin, f"{here}/lift", {"version": "2", "note": "mended"}).status_code == 302
    assert "Lifted" in an.get(f"/rules/exceptions?state=lifted&rule={ENCODED}").text


def test_true_positives_are_named_and_have_to_be_confirmed(lin: FlaskClient, an: FlaskClient, quan: FlaskClient) -> None:
    conditions = [{"field": "process.name", "operator": "equals", "value": "POWERSHELL.EXE"}]
    told = api(lin, "POST", "/preview", json={"rule": ENCODED, "conditions": conditions}).json
    assert told["true_positives"] == len(told["true_hits"]) == 1
    made = api(lin, "POST", "/exceptions", json={**proposal(), "conditions": conditions})
    assert made.status_code == 201, made.json
    here = f"/measures/{made.json['id']}"
    page = an.get(f"/rules/exceptions/{made.json['id']}").text
    assert "It would have hidden 1 true positive." in page
    assert f'href="/alerts/{told["true_hits"][0]["id"]}"' not in page, "a security administrator sees no alerts"
    refused = api(an, "POST", f"{here}/approve", made.headers["ETag"], json={})
    assert refused.status_code == 409
    assert "1 true positives" in refused.json["detail"]
    assert post(quan, f"/rules/exceptions/{made.json['id']}/approve", {"version": "1"}).status_code == 409
    done = api(quan, "POST", f"{here}/approve", made.headers["ETag"], json={"confirm_true_positives": True})
    assert (done.status_code, done.json["state"], done.json["true_positives"]) == (200, "active", 1)


def test_decisions_need_the_version_that_they_were_made_on(lin: FlaskClient, an: FlaskClient) -> None:
    made = api(lin, "POST", "/exceptions", json=proposal(user="v")).json
    here = f"/measures/{made['id']}"
    assert api(an, "POST", f"{here}/approve", json={}).status_code == 428
    assert api(an, "POST", f"{here}/approve", '"9"', json={}).status_code == 412
    assert api(an, "POST", f"{here}/refuse", '"1"', json={}).status_code == 422
    assert api(an, "POST", f"{here}/refuse", '"1"', json={"note": "mend the rule"}).json["state"] == "refused"
    assert api(an, "POST", f"{here}/lift", '"2"', json={"note": "x"}).status_code == 409
    assert api(an, "GET", "/measures/99999").status_code == 404


def test_an_exception_goes_out_as_a_sigma_filter(lin: FlaskClient) -> None:
    made = api(lin, "POST", "/exceptions", json=proposal(user="filter")).json
    answer = api(lin, "GET", f"/measures/{made['id']}/sigma-filter")
    assert answer.status_code == 200
    assert SigmaFilter.from_yaml(answer.text).filter.rules[0].reference == ENCODED  # type: ignore[union-attr]
    assert lin.get(f"/rules/exceptions/{made['id']}/filter.yml").text == answer.text
    other = api(lin, "POST", "/exceptions", json=proposal("suricata:9000042")).json
    assert api(lin, "GET", f"/measures/{other['id']}/sigma-filter").status_code == 422


def test_a_low_rule_is_off_at_once_and_a_high_one_after_a_second_administrator(
    an: FlaskClient, quan: FlaskClient, lin: FlaskClient
) -> None:
    assert post(lin, "/rules/off", {"rule": NET, "reason": "x"}).status_code == 403
    assert post(an, "/rules/off", {"rule": NET, "reason": "  "}).status_code == 422
    answer = post(an, "/rules/off", {"rule": NET, "reason": "tells nothing", "days": "30"})
    assert "done=rule_off" in answer.location
    page = lin.get(f"/rules/{NET}").text
    assert "switched off" in page
    assert "tells nothing" in page
    assert "an.quan" in page
    assert ">off</span>" in lin.get("/rules").text
    assert NET in re.findall(r'<tr data-id="([^"]+)"', lin.get("/rules/tuning?measure=off").text)
    high = api(an, "POST", "/off", json={"rule": ENCODED, "reason": "noise"})
    assert (high.status_code, high.json["state"]) == (201, "proposed")
    here = f"/measures/{high.json['id']}"
    assert api(an, "POST", f"{here}/approve", '"1"', json={"confirm_true_positives": True}).status_code == 403
    done = api(quan, "POST", f"{here}/approve", '"1"', json={"confirm_true_positives": True})
    assert done.json["state"] == "active"
    assert api(an, "POST", f"{here}/lift", '"2"', json={"note": "mended"}).json["state"] == "lifted"


def test_accounts_with_a_scope_have_no_part_in_it(console: APIFlask, city: Services) -> None:
    for name in ("shui.wu", "limited"):
        browser = browser_of(console, name)
        for address in ("/rules/tuning", "/rules/exceptions", f"/rules/exceptions/new?rule={ENCODED}", "/rules/exceptions/1"):
            assert browser.get(address).status_code == 403, (name, address)
        assert api(browser, "POST", "/exceptions", json=proposal(user="scope")).status_code == 403
        assert "By verdicts" not in browser.get(f"/rules/{ENCODED}").text


def test_traits_are_shown_with_a_proposal(lin: FlaskClient) -> None:
    page = lin.get(f"/rules/tuning/traits?rule={ENCODED}")
    assert page.status_code == 200
    assert "Looked at: 2 alerts" in page.text
    assert lin.get("/rules/tuning/traits?rule=nothing").status_code == 404
    assert api(lin, "GET", f"/traits?rule={ENCODED}").json["noise"] == 2
