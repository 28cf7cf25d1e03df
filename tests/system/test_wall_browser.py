"""The wall in a real browser: its pages turn by key, it pauses, waits for a server that is away, and fits every screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from operations.risk.keeping import RiskKeeper
from tests.soc_ui.seed import USER, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch, check_pages

pytestmark = MARKS


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    services = fill(tmp_path_factory.mktemp("wall"), events=200)
    fill_zones(services, events=400)
    RiskKeeper(services.database)()
    console = Served(services)
    yield console
    console.close()


def test_the_wall_turns_pauses_and_waits_for_a_server_that_is_away(served: Served, chromium: Browser) -> None:
    context = served.context(chromium, USER, lang="en", width=1920)
    page = context.new_page()
    watch = Watch(page, served.url)
    page.goto("/wall")
    shown = page.locator(".wall-page.is-shown")
    expect(shown).to_have_attribute("data-page", "city")
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_attribute("data-page", "alerts")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(shown).to_have_attribute("data-page", "ingest")
    page.keyboard.press(" ")
    expect(page.locator("#wall-state")).to_have_text("paused")
    page.keyboard.press(" ")
    expect(page.locator("#wall-state")).to_have_text("")
    assert watch.problems == []
    context.set_offline(True)
    expect(page.locator("#wall-state")).to_have_text("no connection, trying again", timeout=15_000)
    context.set_offline(False)
    expect(page.locator("#wall-state")).to_have_text("", timeout=10_000)
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_page_is_wider_than_the_screen(served: Served, chromium: Browser, lang: str, theme: str) -> None:
    paths = (
        "/wall",
        "/risk",
        "/risk?kind=asset",
        "/risk/zone?key=water-ot",
        "/risk/settings",
        "/attack",
        "/attack?domain=ics",
        "/",
    )
    check_pages(served, chromium, USER, paths, lang=lang, theme=theme)
