"""Logging in with a real browser: a security key (Chromium's virtual authenticator), and no account page that overflows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from operations.accounts import service as accounts
from operations.accounts.models import Factor, User
from operations.audit.schema import SYSTEM
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD
from tests.system.browser import MARKS, Served, Watch, check_pages

pytestmark = MARKS
HOLDER = "wang.fang"


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


def test_a_security_key_is_enrolled_and_asked_for(office: Served, chromium: Browser) -> None:
    accounts.create_user(office.services.database, SYSTEM, HOLDER, PASSWORD, "analyst", display_name="王芳")
    context = office.context(chromium, lang="en")
    page = context.new_page()
    watch = Watch(page, office.url)
    plug_in_key(context, page)
    enter(page, HOLDER)
    page.wait_for_url("**/login/enrol")
    page.locator("summary", has_text="Security key").click()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator("ol.codes li")).to_have_count(10)
    page.get_by_role("link", name="continue").click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    with office.services.database.read() as session:
        [factor] = session.execute(select(Factor).join(User, User.id == Factor.user_id).where(User.name == HOLDER)).scalars()
    assert factor.kind == "webauthn"

    page.locator("summary", has_text="王芳").click()
    page.get_by_role("button", name="Log out").click()
    enter(page, HOLDER)
    page.wait_for_url("**/login/verify")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    assert watch.problems == []

    # Another key signs nothing that opens this account: the browser does not even find it.
    other = office.context(chromium, lang="en")
    thief = other.new_page()
    plug_in_key(other, thief)
    enter(thief, HOLDER)
    thief.wait_for_url("**/login/verify")
    thief.get_by_role("button", name="Use a security key").click()
    expect(thief.locator(".key-error")).to_be_visible()
    thief.goto("/alerts")
    assert thief.url.endswith("/login/verify")
    other.close()
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_account_page_overflows_or_asks_elsewhere(office: Served, chromium: Browser, lang: str, theme: str) -> None:
    for role, paths in (
        ("sysadmin", ("/people", "/people/1", "/people/proposals", "/account", "/account/factor", "/keys")),
        ("secadmin", ("/people/1", "/people/proposals?state=all", "/zones", "/zones/water-ot", "/rules", "/assets", "/keys")),
        ("auditadmin", ("/audit", "/account")),
    ):
        check_pages(office, chromium, ADMINISTRATORS[role][0], paths, lang=lang, theme=theme)
