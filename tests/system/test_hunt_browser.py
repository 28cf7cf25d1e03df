"""In a real browser: the query bar completes by keyboard, the menu of a value opens and gives the focus back, Cancel."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from kernel.store.lake.asked import Asked
from kernel.store.lake.reader import Reader
from kernel.store.stopping import SearchEnded
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
    expect(page.locator("[data-counted]").first).to_have_text(re.compile(r"^\d{3}$"))  # brought by the bars
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


def test_cancel_ends_a_long_search(console: Served, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ended = Reader.run, threading.Event()

    def costly(self: Reader, manifest: Any, asked: Asked, sql: str) -> Any:
        if "svchost.exe" not in str(asked.root):
            return run(self, manifest, asked, sql)
        try:
            sql = "SELECT count(*) FROM {files}, range(3000000) AS a(x), range(300000) AS b(y) WHERE (x * y) % 7 = 3"
            return run(self, manifest, asked, sql)
        except SearchEnded:
            ended.set()
            raise

    monkeypatch.setattr(Reader, "run", costly)
    page = console.context(chromium, USER, lang="en").new_page()
    page.goto("/hunt?last=all")
    bar, cancel = page.locator("[data-complete]"), page.locator("[data-cancel]")
    expect(cancel).to_be_hidden()
    bar.fill("process.name:svchost.exe")
    # in the page: Playwright itself waits for the navigation that is to be given up
    shown = page.evaluate(
        """async () => {
            const cancel = document.querySelector("[data-cancel]");
            cancel.form.requestSubmit();
            await new Promise((go) => setTimeout(go, 1500));
            const shown = getComputedStyle(cancel).display;
            cancel.click();
            return shown;
        }"""
    )
    assert shown != "none"
    expect(page.locator("#toasts")).to_contain_text("ended")
    expect(cancel).to_be_hidden()
    expect(bar).to_be_focused()
    assert ended.wait(15)
    bar.fill("no.such:x")
    bar.press("Enter")
    page.wait_for_url("**q=no.such**")
    page.context.close()
