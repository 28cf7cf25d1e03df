"""Logging in with a real browser: a security key (Chromium's virtual authenticator), and no account page that overflows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from operations.accounts import sessions
from operations.accounts.models import Factor, User
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.test_console_browser import CHROMIUM, Watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian/Ubuntu: apt install chromium)"),
]


class Office:
    """A served console in which everybody needs a second factor. Security keys know names only, so it is reached as localhost."""

    def __init__(self, folder: Path) -> None:
        self.services: Services = fill(folder, events=50)
        fill_zones(self.services, events=100)
        self._server = make_server("127.0.0.1", 0, create_app(self.services), threaded=True)
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    running = Office(tmp_path_factory.mktemp("office"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def plug_in_key(context: BrowserContext, page: Page) -> None:
    """A virtual security key, as the Chrome DevTools Protocol offers it."""
    protocol = context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": False, "automaticPresenceSimulation": True}
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def enter(page: Page, name: str) -> None:
    page.goto("/login")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_security_key_is_enrolled_and_asked_for(office: Office, chromium: Browser) -> None:
    context = chromium.new_context(base_url=office.url)
    context.add_cookies([{"name": "lang", "value": "en", "url": office.url}])
    page = context.new_page()
    watch = Watch(page, office.url)
    plug_in_key(context, page)
    enter(page, USER)
    page.wait_for_url("**/login/enrol")
    page.locator("summary", has_text="Security key").click()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator("ol.codes li")).to_have_count(10)
    page.get_by_role("link", name="continue").click()
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    with office.services.database.read() as session:
        [factor] = session.execute(select(Factor).join(User, User.id == Factor.user_id).where(User.name == USER)).scalars()
    assert factor.kind == "webauthn"

    page.locator("summary", has_text="林梅").click()
    page.get_by_role("button", name="Log out").click()
    enter(page, USER)
    page.wait_for_url("**/login/verify")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    assert watch.problems == []

    # Another key signs nothing that opens this account: the browser does not even find it.
    other = chromium.new_context(base_url=office.url)
    other.add_cookies([{"name": "lang", "value": "en", "url": office.url}])
    thief = other.new_page()
    plug_in_key(other, thief)
    enter(thief, USER)
    thief.wait_for_url("**/login/verify")
    thief.get_by_role("button", name="Use a security key").click()
    expect(thief.locator(".key-error")).to_be_visible()
    thief.goto("/alerts")
    assert thief.url.endswith("/login/verify")
    other.close()
    context.close()


@pytest.mark.parametrize(("lang", "theme", "width"), [("zh", "dark", 1366), ("en", "light", 1024)])
def test_no_account_page_overflows_or_asks_elsewhere(office: Office, chromium: Browser, lang: str, theme: str, width: int) -> None:
    for role, paths in (
        ("sysadmin", ("/people", "/people/1", "/people/proposals", "/account", "/account/factor", "/keys")),
        ("secadmin", ("/people/1", "/people/proposals?state=all", "/zones", "/zones/water-ot", "/rules", "/assets", "/keys")),
        ("auditadmin", ("/audit", "/account")),
    ):
        context = chromium.new_context(base_url=office.url, viewport={"width": width, "height": 800})
        cookies = {"lang": lang, "theme": theme, sessions.SESSION_COOKIE: session_of(office, ADMINISTRATORS[role][0])}
        context.add_cookies([{"name": name, "value": value, "url": office.url} for name, value in cookies.items()])
        page = context.new_page()
        watch = Watch(page, office.url)
        for path in paths:
            page.goto(path)
            page.wait_for_load_state("networkidle")
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert too_wide == 0, f"{path} is {too_wide} px too wide"
        assert watch.problems == []
        context.close()


def session_of(office: Office, name: str) -> str:
    with office.services.database.write() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one()
        return sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")
