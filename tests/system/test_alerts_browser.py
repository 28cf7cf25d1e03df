"""In a real browser: acts on everything that matches, and one alert beside the list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
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


@pytest.mark.parametrize(("lang", "theme"), [("en", "dark"), ("zh", "light")])
def test_the_flyout_keeps_the_place(console: Served, chromium: Browser, tmp_path: Path, lang: str, theme: str) -> None:
    page = console.context(chromium, USER, lang=lang, theme=theme).new_page()
    watch = Watch(page, console.url)
    page.goto("/alerts?view=all")
    flyout, title = page.locator("[data-flyout]"), page.locator("#flyout-title")
    rows = page.locator("tr[data-id]")
    ids = [row.get_attribute("data-id") for row in rows.all()]
    rows.nth(30).locator('input[name="ids"]').check()
    rows.nth(30).locator("td").nth(3).click()
    expect(title).to_be_focused()
    expect(flyout).to_contain_text(f"#{ids[30]}")
    assert page.url.endswith(f"/alerts?view=all#alert-{ids[30]}")
    box = flyout.bounding_box()
    assert box is not None
    assert 480 <= box["width"] <= 640
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    page.screenshot(path=tmp_path / "flyout.png")
    assert [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")] == []

    page.keyboard.press("j")  # goes on in the flyout
    expect(flyout).to_contain_text(f"#{ids[31]}")
    expect(title).to_be_focused()
    rows.nth(29).locator("a.rowlink").click()  # so does a click on another row
    expect(flyout).to_contain_text(f"#{ids[29]}")
    page.go_back()
    expect(flyout).to_be_hidden()
    expect(rows.nth(29).locator("a.rowlink")).to_be_focused()
    expect(page.locator("[data-selected]")).to_have_text("1")
    assert abs(page.evaluate("scrollY") - scrolled) < 80

    page.keyboard.press("Enter")  # the link of the row has the focus
    expect(flyout).to_contain_text(f"#{ids[29]}")
    page.locator('[data-flyout] select[name="status"]').select_option("in_progress")
    page.locator('[data-flyout] textarea[name="note"]').fill("j k x")  # letters are letters here
    page.locator("[data-flyout] .triage button").click()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator("[data-flyout] .flyout-head .st-in_progress")).to_be_visible()  # the same alert, beside the same list
    page.locator("[data-flyout-close]").click()
    expect(flyout).to_be_hidden()
    assert page.url.endswith("/alerts?view=all")

    page.goto(f"/alerts?view=all#alert-{ids[2]}")  # a copied address
    page.reload()
    expect(flyout).to_contain_text(f"#{ids[2]}")
    expect(title).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{ids[2]}")
    assert watch.problems == []
    page.context.close()


def test_without_scripts_a_row_leads_to_its_page(console: Served, chromium: Browser) -> None:
    page = console.context(chromium, USER, script=False).new_page()
    page.goto("/alerts?view=all")
    first = page.locator("tr[data-id] a.rowlink").first
    target = first.get_attribute("href")
    first.click()
    page.wait_for_url(f"**{target}")  # a click does not wait for the page that it leads to
    page.goto(f"{target}/flyout")
    expect(page.locator(".rail")).to_be_visible()  # the whole page
    page.context.close()
