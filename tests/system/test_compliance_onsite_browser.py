"""The on-site forms on a tablet whose network goes and comes: nothing is lost, nothing is recorded twice, conflicts show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Route, expect

from compliance.assessment import reading, record
from operations.accounts import sessions
from soc_ui.services import Services
from tests.soc_ui.seed import USER, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch
from tests.system.test_compliance_browser import SEC, WHO, fill_compliance

pytestmark = MARKS
SITE, FLOOR = "8.1.1.1.a", "8.1.1.1.b"
"""Both are asked of the room."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, int]]:
    services = fill(tmp_path / "onsite", events=20)
    fill_zones(services, events=40)
    system = fill_compliance(services)
    server = Served(services)
    yield server, system
    server.close()


def form(page: Page, item: str) -> Locator:
    return page.locator(f".onsite-question[data-item='{item}']").first


def say(page: Page, item: str, verdict: str, reason: str) -> None:
    form(page, item).locator("label").filter(has_text=verdict).first.click()
    form(page, item).locator("textarea").fill(reason)
    form(page, item).get_by_role("button", name="Keep").click()


def told(services: Services, system: int, item: str) -> list[tuple[str, str]]:
    with services.database.read() as session:
        return [(one.verdict, one.reason) for one in reading.history(session, system, item) if one.source == "person"]


def test_answers_wait_for_the_network_and_count_once(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context = server.context(chromium, SEC, lang="en", width=800)
    page = context.new_page()
    page.goto(f"/compliance/{system}/onsite")
    assert page.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth")
    height = form(page, SITE).locator(".onsite-choices span").first.bounding_box()
    assert height is not None
    assert height["height"] >= 48, "for fingers"
    with server.away(context):
        say(page, SITE, "Compliant", "seen the acceptance papers")
        say(page, FLOOR, "Not compliant", "it is in the cellar")
        expect(page.locator(".onsite-bar")).to_contain_text("No network")
        expect(page.locator(".onsite-bar")).to_contain_text("answers wait on this device: 2")
        assert told(server.services, system, SITE) == []
    expect(form(page, SITE).locator("[data-state]")).to_have_text("recorded")
    expect(form(page, FLOOR).locator("[data-state]")).to_have_text("recorded")
    expect(page.locator("[data-waits]")).to_be_empty()
    assert told(server.services, system, SITE) == [("met", "seen the acceptance papers")]
    assert told(server.services, system, FLOOR) == [("not_met", "it is in the cellar")]
    context.close()


def test_a_reply_that_is_lost_and_a_page_that_is_closed(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context = server.context(chromium, SEC, lang="en", width=1024, workers=False)
    page = context.new_page()
    watch = Watch(page, server.url)
    page.goto(f"/compliance/{system}/onsite")

    def lose(route: Route) -> None:
        route.fetch()  # it arrives, its reply does not
        route.abort()

    page.route("**/onsite", lose)
    say(page, SITE, "Partly compliant", "only half of the papers")
    expect(page.locator(".onsite-bar")).to_contain_text("cannot take answers now")
    form(page, FLOOR).locator("textarea").fill("half a sentence")
    page.close()
    assert told(server.services, system, SITE) == [("partly", "only half of the papers")]
    again = context.new_page()
    again.goto(f"/compliance/{system}/onsite")
    expect(form(again, SITE).locator("[data-state]")).to_have_text("recorded")
    assert told(server.services, system, SITE) == [("partly", "only half of the papers")], "it counts once"
    expect(form(again, FLOOR).locator("textarea")).to_have_value("half a sentence")
    expect(form(again, FLOOR).locator("[data-state]")).to_have_text("not kept yet")
    assert [one for one in watch.problems if "ERR_FAILED" not in one] == []
    context.close()


READY = "opens without the network"
NO_NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION_REFUSED"


def test_the_page_opens_without_the_network(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context = server.context(chromium, SEC, lang="en", width=800)
    page = context.new_page()
    watch = Watch(page, server.url)
    page.goto(f"/compliance/{system}/onsite")
    expect(page.locator(".onsite-bar")).to_contain_text(READY)
    assert watch.problems == []
    with server.away(context):
        page.reload()
        expect(page.locator(".onsite-bar")).to_contain_text("No network")
        height = page.evaluate("getComputedStyle(document.querySelector('.onsite-choices span')).minHeight")
        assert height == "52px", "with its styles"
        say(page, SITE, "Compliant", "seen the acceptance papers")
        page.reload()
        expect(page.locator(".onsite-bar")).to_contain_text("answers wait on this device: 1")
        expect(form(page, SITE).locator("textarea")).to_have_value("seen the acceptance papers")
        assert told(server.services, system, SITE) == []
    expect(form(page, SITE).locator("[data-state]")).to_have_text("recorded")
    page.reload()
    assert told(server.services, system, SITE) == [("met", "seen the acceptance papers")], "it counts once"
    context.close()


KEPT = """(async () => {
  const found = [];
  for (const name of await caches.keys()) found.push(...(await (await caches.open(name)).keys()).map((one) => one.url));
  return found;
})()"""


COPIED = """async ([from, to, hours]) => {
  const cache = await caches.open((await caches.keys()).find((one) => one.startsWith("liandun-onsite-")));
  const answer = await cache.match(from, { ignoreVary: true });
  const date = new Date(Date.now() - hours * 3600000).toUTCString();
  await cache.put(to, new Response(await answer.text(), { headers: { Date: date, "Content-Type": "text/html" } }));
}"""


def test_only_the_page_and_its_files_are_kept_and_nothing_after_signing_out(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context, page = kept(server, system, chromium)
    page.goto(f"/compliance/{system}")
    page.goto("/compliance")
    copies = [one.removeprefix(server.url) for one in page.evaluate(KEPT)]
    pages = [one for one in copies if not one.startswith("/static/")]
    assert pages == [f"/compliance/{system}/onsite"]
    assert any(one.endswith("/js/onsite.js") for one in copies)
    assert any(one.endswith("/css/compliance.css") for one in copies)
    assert not any(one.endswith("/js/charts.js") for one in copies)
    page.evaluate("document.querySelector('form[action$=logout]').requestSubmit()")
    expect(page).to_have_url(re.compile("/login"))
    gone(page)
    with server.away(context), pytest.raises(Error, match=NO_NETWORK):
        page.goto(f"/compliance/{system}/onsite")
    context.close()


def test_a_session_that_ended_takes_the_copy_along(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context, page = kept(server, system, chromium)
    context.clear_cookies(name=sessions.SESSION_COOKIE)
    page.goto(f"/compliance/{system}/onsite")
    expect(page).to_have_url(re.compile("/login"))
    gone(page)
    context.close()


def test_somebody_else_on_the_same_tablet_finds_no_copy(served: tuple[Served, int], chromium: Browser) -> None:
    """Signed in without the log-in page of here in between, by a provider say, and without the right to these forms."""
    server, system = served
    context, page = kept(server, system, chromium)
    page.goto("/account")
    assert page.evaluate(KEPT) != [], "pages of the same person leave it"
    context.add_cookies([{"name": sessions.SESSION_COOKIE, "value": server.session(USER), "url": server.url}])
    page.goto("/account")
    gone(page)
    with server.away(context), pytest.raises(Error, match=NO_NETWORK):
        page.goto(f"/compliance/{system}/onsite")
    context.close()


def test_a_copy_of_a_system_that_is_gone_or_of_another_day_does_not_open(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context, page = kept(server, system, chromium)
    page.evaluate(COPIED, [f"/compliance/{system}/onsite", "/compliance/4711/onsite", 0])
    page.goto("/compliance/4711/onsite")
    assert not any("4711" in one for one in page.evaluate(KEPT)), "the platform knows no such system any more"
    for number, hours in ((4712, 25), (4713, -25)):
        page.evaluate(COPIED, [f"/compliance/{system}/onsite", f"/compliance/{number}/onsite", hours])
        with server.away(context), pytest.raises(Error, match=NO_NETWORK):
            page.goto(f"/compliance/{number}/onsite")
        page.goto("/account")
        assert not any(str(number) in one for one in page.evaluate(KEPT))
    context.close()


def test_a_new_version_leaves_no_old_copy(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context, page = kept(server, system, chromium)
    before = page.evaluate("caches.keys()")
    server.services.version = "9.9.9"
    page.reload()
    for _ in range(100):
        if (after := page.evaluate("caches.keys()")) != before and len(after) == 1:
            break
        page.wait_for_timeout(50)
    assert len(before) == len(after) == 1
    assert before != after
    expect(page.locator(".onsite-bar")).to_contain_text(READY)
    with server.away(context):
        page.reload()
        expect(page.locator(".onsite-bar")).to_contain_text("No network")
    context.close()


def kept(server: Served, system: int, chromium: Browser) -> tuple[BrowserContext, Page]:
    """The page in a browser of the security administrator, which has kept it for when there is no network."""
    context = server.context(chromium, SEC, lang="en")
    page = context.new_page()
    page.goto(f"/compliance/{system}/onsite")
    expect(page.locator(".onsite-bar")).to_contain_text(READY)
    return context, page


def gone(page: Page) -> None:
    """No copy is left, within some seconds."""
    for _ in range(100):
        if page.evaluate(KEPT) == []:
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.evaluate(KEPT))


def test_who_was_quicker_shows_and_the_person_decides(served: tuple[Served, int], chromium: Browser) -> None:
    server, system = served
    context = server.context(chromium, SEC, lang="en", width=1024)
    page = context.new_page()
    page.goto(f"/compliance/{system}/onsite")
    with server.services.database.write() as session:
        for item in (SITE, FLOOR):
            target = int(form(page, item).get_attribute("data-object") or 0)
            record.record(session, WHO.actor, system, item, target, "not_met", source="person", reason="<b>flooded</b>")
    say(page, SITE, "Compliant", "mine")
    say(page, FLOOR, "Compliant", "mine, too")
    for item in (SITE, FLOOR):
        expect(form(page, item)).to_contain_text("somebody else was quicker")
        expect(form(page, item)).to_contain_text("<b>flooded</b>")
    form(page, SITE).get_by_role("button", name="Record mine instead").click()
    expect(form(page, SITE).locator("[data-state]")).to_have_text("recorded")
    form(page, FLOOR).get_by_role("button", name="Drop mine").click()
    expect(page.locator("[data-waits]")).to_be_empty()
    assert told(server.services, system, SITE)[0] == ("met", "mine")
    assert told(server.services, system, FLOOR) == [("not_met", "<b>flooded</b>")]
    context.close()
