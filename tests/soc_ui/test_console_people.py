"""Accounts in the console: made by one power, given a role by another, confirmed by a second person."""

from __future__ import annotations

import html
import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.accounts import proposals, service
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, enter, post
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER

SECRET = re.compile(r'readonly value="([^"]+)"')


def _id(services: Services, name: str) -> int:
    with services.database.read() as session:
        return next(user.id for user in service.list_users(session) if user.name == name)


def _waiting(services: Services, name: str) -> int:
    with services.database.read() as session:
        return next(one.id for one in proposals.list_proposals(session) if one.name == name)


def make(sysadmin: FlaskClient, name: str) -> str:
    """A new account; the token of its owner's link."""
    answer = post(sysadmin, "/people", {"name": name, "display_name": "赵琪"})
    assert answer.status_code == 200
    found = SECRET.search(answer.text)
    assert found is not None
    return html.unescape(found[1]).split("token=")[1]


def test_from_a_new_account_to_its_first_page(
    app: APIFlask, sysadmin: FlaskClient, secadmin: FlaskClient, filled: Services
) -> None:
    token = make(sysadmin, "zhao.qi")
    assert post(sysadmin, "/people", {"name": "ZHAO.qi"}).status_code == 409
    assert post(sysadmin, "/people", {"name": "a b"}).status_code == 422
    owner = app.test_client()
    owner.set_cookie("lang", "en")
    form = {"token": token, "password": "Night-Shift-2026", "again": "Night-Shift-2026"}
    assert post(owner, "/setup", form, page=f"/setup?token={token}").status_code == 302
    assert post(app.test_client(), "/setup", form, page="/login").status_code == 403
    user_id = _id(filled, "zhao.qi")
    mine = browser_of(app, "zhao.qi")
    assert mine.get("/").location == "/account"
    assert "has no role yet" in mine.get("/account").text
    assert mine.get("/alerts").status_code == 403
    answer = post(secadmin, f"/people/{user_id}/propose", {"kind": "role", "role": "analyst", "reason": "夜班"})
    assert answer.location == "/people/proposals?done=proposed"
    assert "夜班" in sysadmin.get("/people/proposals").text
    number = _waiting(filled, "zhao.qi")
    assert "a second person confirms" in secadmin.get("/people/proposals").text
    assert post(secadmin, f"/people/proposals/{number}", {"decision": "confirm"}).status_code == 403
    with filled.database.read() as session:
        denied = audit.listing(session, action="page.denied", limit=1).entries[0]
    assert denied.actor == ADMINISTRATORS["secadmin"][0]
    assert post(sysadmin, f"/people/proposals/{number}", {"decision": "confirm"}).status_code == 302
    assert mine.get("/alerts").status_code == 302  # the old session ended
    assert browser_of(app, "zhao.qi").get("/alerts?view=all").status_code == 200
    assert post(sysadmin, f"/people/proposals/{number}", {"decision": "confirm"}).status_code == 409
    assert "confirmed" in sysadmin.get("/people/proposals?state=all").text


def test_switching_off_ends_access_at_the_next_click(app: APIFlask, sysadmin: FlaskClient, filled: Services) -> None:
    service.create_user(filled.database, SYSTEM, "sun.ba", PASSWORD, "analyst")
    user_id, other = _id(filled, "sun.ba"), browser_of(app, "sun.ba")
    assert other.get("/").status_code == 200
    post(sysadmin, f"/people/{user_id}", {"action": "off"})
    assert other.get("/").status_code == 302
    stranger = app.test_client()
    stranger.set_cookie("lang", "en")
    assert "switched off" in enter(stranger, "sun.ba").text
    post(sysadmin, f"/people/{user_id}", {"action": "on"})
    post(sysadmin, f"/people/{user_id}", {"action": "remove"})
    assert "sun.ba" not in sysadmin.get("/people").text
    assert "sun.ba" in sysadmin.get("/people?state=removed").text
    assert post(sysadmin, "/people", {"name": "sun.ba"}).status_code == 409


def test_nobody_helps_themselves_and_the_last_of_a_power_stays(
    sysadmin: FlaskClient, secadmin: FlaskClient, filled: Services
) -> None:
    mine = _id(filled, ADMINISTRATORS["sysadmin"][0])
    assert post(sysadmin, f"/people/{mine}", {"action": "off"}).status_code == 403
    assert "Nobody changes what their own account may do" in sysadmin.get(f"/people/{mine}").text
    last = post(sysadmin, f"/people/{_id(filled, ADMINISTRATORS['auditadmin'][0])}", {"action": "off"})
    assert (last.status_code, "last active account" in last.text) == (409, True)
    sec = _id(filled, ADMINISTRATORS["secadmin"][0])
    assert post(secadmin, f"/people/{sec}/propose", {"kind": "role", "role": "analyst"}).status_code == 403
    assert post(secadmin, f"/people/{mine}/propose", {"kind": "password"}).status_code == 403
    assert post(sysadmin, f"/people/{sec}/propose", {"kind": "role", "role": ""}).status_code == 403
    assert post(sysadmin, "/people/99999", {"action": "off"}).status_code == 404


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"role": "bureau"}, "do not fit together"),
        ({"role": "auditor", "days": "400"}, "1 to 366"),
        ({"role": "auditor", "days": "many"}, "1 to 366"),
        ({"role": "root"}, "differs from the present one"),
        ({"role": "analyst", "zones": "no-such-zone"}, "do not fit together"),
    ],
)
def test_proposals_that_break_a_rule(
    sysadmin: FlaskClient, secadmin: FlaskClient, filled: Services, form: dict[str, str], words: str
) -> None:
    name = f"rule.{abs(hash(str(form))) % 10**6}"
    make(sysadmin, name)
    answer = post(secadmin, f"/people/{_id(filled, name)}/propose", {"kind": "role", **form})
    assert (answer.status_code, words in answer.text) == (422, True)


def test_the_list_has_filters_in_the_url(sysadmin: FlaskClient) -> None:
    page = sysadmin.get("/people?role=secadmin").text
    assert ADMINISTRATORS["secadmin"][0] in page
    assert USER not in page
    assert sysadmin.get("/people?q=lin.m&sort=-last_login&state=active").status_code == 200
    assert sysadmin.get("/people?sort=password_hash").status_code == 422
    assert sysadmin.get("/people?state=x").status_code == 422


def test_ones_own_account(app: APIFlask, filled: Services) -> None:
    service.create_user(filled.database, SYSTEM, "zhou.jiu", PASSWORD, "analyst", display_name="周九")
    browser, other = browser_of(app, "zhou.jiu"), browser_of(app, "zhou.jiu")
    page = browser.get("/account").text
    assert page.count('name="session"') == 1  # the other one can be ended, this one not
    assert post(browser, "/account/sessions", {}).location == "/account?done=sessions"
    assert other.get("/account").status_code == 302
    form = {"old": PASSWORD, "password": "Day-Shift-2027!", "again": "Day-Shift-2027!"}
    assert "present password is wrong" in post(browser, "/password", form | {"old": "Wrong-Horse-77"}).text
    assert "passwords differ" in post(browser, "/password", form | {"again": "x"}).text
    assert post(browser, "/password", form | {"password": "weak", "again": "weak"}).status_code == 422
    assert post(browser, "/password", form).location == "/account?done=password"
    assert browser.get("/account").status_code == 200
    assert "used before" in post(browser, "/password", {"old": form["password"], "password": PASSWORD, "again": PASSWORD}).text


def test_guessing_the_present_password_ends_after_five(app: APIFlask, filled: Services) -> None:
    service.create_user(filled.database, SYSTEM, "wu.shi", PASSWORD, "analyst")
    browser = browser_of(app, "wu.shi")
    form = {"old": "wrong", "password": "Day-Shift-2027!", "again": "Day-Shift-2027!"}
    for _ in range(5):
        post(browser, "/password", form)
    assert "Too many failed attempts" in post(browser, "/password", form | {"old": PASSWORD}).text


PAGES = ("/people", "/people/proposals", "/people/proposals?state=all", "/people/1", "/account", "/account/factor", "/password")


@pytest.mark.parametrize("path", PAGES)
def test_pages_keep_to_the_strict_policy(sysadmin: FlaskClient, path: str) -> None:
    answer = sysadmin.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style", answer.text)
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize(
    "path",
    ["/people", "/people/1", "/people/1/propose", "/people/1/unlock", "/people/proposals/1", "/account/sessions", "/account/codes"],
)
def test_forms_without_our_token_are_refused(sysadmin: FlaskClient, path: str) -> None:
    assert sysadmin.post(path, data={"csrf_token": "0" * 64, "name": "x.y", "action": "off"}).status_code == 400
