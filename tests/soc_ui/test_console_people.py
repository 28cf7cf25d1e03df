"""Accounts by an administrator, and one's own password."""

from __future__ import annotations

from flask.testing import FlaskClient

from operations.accounts import service
from operations.audit import service as audit
from soc_ui.services import Services
from tests.soc_ui.conftest import log_in, post
from tests.soc_ui.seed import PASSWORD, USER

NEW = {"name": "zhao.qi", "display_name": "赵琪", "role": "analyst", "password": "Night-Shift-2026"}


def _id(services: Services, name: str) -> int:
    with services.database.read() as session:
        return next(user.id for user in service.list_users(session) if user.name == name)


def test_an_administrator_makes_changes_and_switches_off_accounts(client: FlaskClient, filled: Services) -> None:
    assert post(client, "/people", NEW | {"password": "short"}).status_code == 422
    assert post(client, "/people", NEW | {"role": "root"}).status_code == 422
    assert post(client, "/people", NEW).location == "/people?done=account"
    assert post(client, "/people", NEW).status_code == 409
    assert "赵琪" in client.get("/people").text
    user_id = _id(filled, "zhao.qi")
    other = client.application.test_client()
    assert log_in(other, "zhao.qi", NEW["password"]).status_code == 302
    assert other.get("/people").status_code == 403
    assert 'href="/people"' not in other.get("/rules").text
    post(client, f"/people/{user_id}", {"active": "off"})
    assert other.get("/").status_code == 302  # out at the next click
    post(client, f"/people/{user_id}", {"active": "on", "role": "viewer"})
    with filled.database.read() as session:
        entry = audit.listing(session, action="account.change", limit=1).entries[0]
    assert (entry.actor, entry.object_id, entry.detail["after"]) == (USER, "zhao.qi", {"role": "viewer", "active": True})


def test_the_last_administrator_stays(client: FlaskClient, filled: Services) -> None:
    answer = post(client, f"/people/{_id(filled, USER)}", {"active": "off"})
    assert answer.status_code == 409
    assert "last active administrator" in answer.text
    assert post(client, "/people/99999", {"active": "off"}).status_code == 404


def test_one_changes_ones_own_password_knowing_the_old_one(client: FlaskClient, filled: Services) -> None:
    post(client, "/people", NEW | {"name": "sun.ba"})
    browser = client.application.test_client()
    log_in(browser, "sun.ba", NEW["password"])
    browser.set_cookie("lang", "en")
    form = {"old": NEW["password"], "password": "Day-Shift-2027!", "again": "Day-Shift-2027!"}
    assert "present password is wrong" in post(browser, "/password", form | {"old": PASSWORD}).text
    assert "passwords differ" in post(browser, "/password", form | {"again": "x"}).text
    assert post(browser, "/password", form | {"password": "weak", "again": "weak"}).status_code == 422
    assert post(browser, "/password", form).location == "/login"
    assert browser.get("/").status_code == 302
    assert log_in(browser, "sun.ba", form["password"]).status_code == 302


def test_guessing_the_present_password_ends_after_five(client: FlaskClient) -> None:
    post(client, "/people", NEW | {"name": "zhou.jiu"})
    browser = client.application.test_client()
    log_in(browser, "zhou.jiu", NEW["password"])
    browser.set_cookie("lang", "en")
    form = {"old": "wrong", "password": "Day-Shift-2027!", "again": "Day-Shift-2027!"}
    for _ in range(5):
        post(browser, "/password", form)
    assert "Too many failed attempts" in post(browser, "/password", form | {"old": NEW["password"]}).text
