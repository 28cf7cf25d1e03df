"""Nobody gets in without an account, no other site can act for somebody, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from kernel.store.lake import Lake
from operations.accounts.service import create_user
from operations.accounts.sessions import SESSION_COOKIE
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.preferences import local_path
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, enter, log_in, post, token_of
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER
from tests.state_database import migrated

PAGES = ("/", "/alerts", "/alerts/1", "/hunt", "/sources", "/sources/quarantine", "/rules", "/rules/failures", "/overview/numbers")


@pytest.mark.parametrize("path", [*PAGES, "/overview/charts.json", "/hunt/histogram.json", "/no-such-page"])
def test_a_stranger_is_sent_to_the_login_page_and_back_after_it(anonymous: FlaskClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/login")


def test_a_polling_part_asks_for_the_login_page_instead_of_showing_it_inside(anonymous: FlaskClient) -> None:
    answer = anonymous.get("/overview/numbers", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_with_a_strict_policy_and_no_inline_code(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style", answer.text)
    assert not re.findall(r'(?:src|href|action|hx-get)="(?:https?:)?//', answer.text)


def test_static_files_are_compressed_kept_and_limited_to_the_folder(client: FlaskClient) -> None:
    sheet = re.search(r'href="(/static/[0-9a-f]+/css/console.css)"', client.get("/rules").text)
    assert sheet is not None
    answer = client.get(sheet[1], headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(sheet[1].replace("css/console.css", "css/../../app.py")).status_code == 404
    assert client.get("/static/0/../app.py").status_code == 404


def test_the_first_page_of_a_newcomer_transfers_little(anonymous: FlaskClient) -> None:
    """Research bar: log-in page at most 150 KB compressed."""
    page = anonymous.get("/login")
    urls = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text))
    total = len(page.data) + sum(len(anonymous.get(url, headers={"Accept-Encoding": "gzip"}).data) for url in urls)
    assert total < 150_000


@pytest.mark.parametrize(
    "path", ["/logout", "/alerts/bulk", "/alerts/undo", "/alerts/1", "/alerts/1/notes", "/hunt/export", "/login", "/setup"]
)
def test_a_form_without_our_token_is_refused(client: FlaskClient, path: str) -> None:
    assert client.post(path, data={"ids": "1", "action": "acknowledge"}).status_code == 400
    assert client.post(path, data={"csrf_token": "0" * 64}).status_code == 400


def test_a_form_sent_by_another_site_is_refused_even_with_the_token(client: FlaskClient) -> None:
    data = {"csrf_token": token_of(client, "/account"), "note": "x"}
    assert client.post("/alerts/1/notes", data=data, headers={"Origin": "https://evil.example"}).status_code == 400
    assert client.post("/alerts/1/notes", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert client.post("/alerts/1/notes", data=data, headers={"Origin": "http://localhost"}).status_code == 302


def test_the_token_of_one_session_is_worthless_in_another(app: APIFlask) -> None:
    first, second = app.test_client(), app.test_client()
    log_in(first)
    log_in(second)
    assert second.post("/logout", data={"csrf_token": token_of(first, "/account")}).status_code == 400


def test_login_starts_a_new_session_in_a_closed_cookie(anonymous: FlaskClient) -> None:
    anonymous.set_cookie(SESSION_COOKIE, "planted-by-somebody-else")
    answer = enter(anonymous)
    assert (answer.status_code, answer.location) == (302, "/start")
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith(SESSION_COOKIE))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "planted" not in session
    assert any(cookie.startswith("liandun_visitor=;") for cookie in cookies)


def test_over_https_the_cookie_never_travels_in_the_clear(app: APIFlask) -> None:
    browser = app.test_client()
    token = re.search(r'content="([0-9a-f]{64})"', browser.get("/login", base_url="https://localhost").text)
    assert token is not None
    answer = browser.post("/login", base_url="https://localhost", data={"name": USER, "password": PASSWORD, "csrf_token": token[1]})
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie") if not cookie.startswith("liandun_visitor=;"))
    assert "Strict-Transport-Security" in answer.headers


def test_logging_in_again_ends_the_session_before(client: FlaskClient) -> None:
    before = client.get_cookie(SESSION_COOKIE)
    assert before is not None
    assert post(client, "/login", {"name": USER, "password": PASSWORD}).status_code == 302
    after = client.get_cookie(SESSION_COOKIE)
    assert after is not None
    assert after.value != before.value
    client.set_cookie(SESSION_COOKIE, before.value)
    assert client.get("/rules").status_code == 302


def test_logout_ends_the_session_on_the_server(client: FlaskClient) -> None:
    stolen = client.get_cookie(SESSION_COOKIE)
    assert stolen is not None
    assert post(client, "/logout", {}).status_code == 302
    client.set_cookie(SESSION_COOKIE, stolen.value)
    assert client.get("/").status_code == 302


def test_five_wrong_passwords_lock_the_account_and_say_for_how_long(tmp_path: Path) -> None:
    browser = create_app(_bare(tmp_path, with_account=True)).test_client()
    browser.set_cookie("lang", "en")
    for _ in range(4):
        answer = enter(browser, password="wrong-password-1")
        assert answer.status_code == 401
        assert "User name or password is wrong." in answer.text
    answer = enter(browser, password="wrong-password-1")
    assert answer.status_code == 429
    assert re.search(r'data-countdown="(5\d\d|600)"', answer.text)
    assert enter(browser).status_code == 429


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n//evil", "//[", "alerts", ""],
)
def test_the_way_back_never_leaves_the_site(target: str) -> None:
    assert local_path(target) == "/"


def test_the_way_back_keeps_path_and_query() -> None:
    assert local_path("/alerts?status=new&q=a%2Fb") == "/alerts?status=new&q=a%2Fb"


def test_a_leader_reads_but_changes_and_exports_nothing(app: APIFlask, filled: Services) -> None:
    create_user(filled.database, SYSTEM, "guest", PASSWORD, "leader")
    browser = app.test_client()
    log_in(browser, "guest")
    assert 'name="action"' not in browser.get("/alerts?view=all").text
    assert browser.get("/alerts/1").status_code == 200
    for path in ("/alerts/bulk", "/alerts/1", "/alerts/1/notes", "/hunt/export"):
        assert post(browser, path, {"ids": "1", "action": "acknowledge"}).status_code == 403


def _bare(folder: Path, *, with_account: bool = False) -> Services:
    database = migrated(f"sqlite:///{folder / 'state.db'}")
    if with_account:
        create_user(database, SYSTEM, USER, PASSWORD, "analyst")
    return Services(database=database, store=Lake.open(folder / "lake", writable=True, demo=True), version="test")


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        (USER, "/alerts?view=mine-and-unassigned"),
        (ADMINISTRATORS["sysadmin"][0], "/sources"),
        (ADMINISTRATORS["auditadmin"][0], "/audit"),
    ],
)
def test_signing_in_leads_to_the_first_screen_of_the_role(app: APIFlask, name: str, begins: str) -> None:
    browser = browser_of(app, name)
    assert browser.get("/start").location == begins
    assert browser.get("/login").location == "/start"
