"""In a real browser: the query bar completes by keyboard, the menu of a value opens and gives the focus back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.soc_ui.seed import USER, fill
from tests.system.browser import MARKS, Served, Watch

pytestmark = MARKS


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(fill(tmp_path_factory.mktemp("hunt"), events=300))
    yield served
    served.close()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_a_query_by_keyboard_and_the_menu_of_a_value(
    console: Served, chromium: Browser, tmp_path: Path, lang: str, theme: str
) -> None:
    page = console.context(chromium, USER, lang=lang, theme=theme).new_page()
    watch = Watch(page, console.url)
    page.goto("/hunt?last=all")
    bar = page.locator("[data-complete]")
    bar.fill("")
    bar.press_sequentially("process.nam")
    expect(page.locator("#completions li").first).to_contain_text("process.name")
    bar.press("ArrowDown")
    bar.press("Enter")
    expect(bar).to_have_value("process.name:")
    expect(page.locator("#completions li").first).to_contain_text("powershell.exe")
    page.screenshot(path=tmp_path / f"completion-{lang}.png")
    bar.press("ArrowDown")
    bar.press("Tab")
    expect(bar).to_have_value('process.name:"powershell.exe"')
    bar.press("Enter")
    page.wait_for_url("**/hunt?q=process.name*")
    cell = page.locator("[data-value-menu]").first
    cell.focus()
    cell.press("Enter")
    menu = page.locator("#value-menu")
    expect(menu).to_be_visible()
    page.screenshot(path=tmp_path / f"menu-{lang}.png")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(cell).to_be_focused()
    cell.press("Enter")
    menu.locator("a").first.click()
    page.wait_for_url("**AND**")
    assert watch.problems == []
    page.context.close()
