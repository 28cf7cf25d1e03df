"""In a real browser: an act on everything that matches is shown, started, watched, and taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.soc_ui.seed import USER, fill
from tests.system.browser import MARKS, Served, Watch

pytestmark = MARKS


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(fill(tmp_path_factory.mktemp("alerts"), events=400))
    yield served
    served.close()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_an_act_on_everything_that_matches(console: Served, chromium: Browser, tmp_path: Path, lang: str, theme: str) -> None:
    page = console.context(chromium, USER, lang=lang, theme=theme).new_page()
    watch = Watch(page, console.url)
    page.goto("/alerts?status=new")
    page.locator('input[name="ids"]').first.check()
    page.locator('input[name="everything"]').check()
    page.locator('[data-act="acknowledge"]').click()
    page.wait_for_url(re.compile(r"/alerts/bulk/[0-9a-f]{32}"))
    page.screenshot(path=tmp_path / "preview.png")
    total = re.sub(r"\D", "", page.locator("#bulk h2").inner_text())
    page.locator("#bulk .btn-primary").click()
    expect(page.locator("#bulk progress")).to_have_attribute("value", total, timeout=20_000)
    undo = page.locator('#bulk form[action$="/undo"] button')
    expect(undo).to_be_visible(timeout=20_000)  # polled: nobody loads the page again
    page.screenshot(path=tmp_path / "done.png")
    undo.click()
    expect(page.locator("#bulk progress")).to_have_attribute("value", total, timeout=20_000)
    assert watch.problems == []
    page.context.close()
