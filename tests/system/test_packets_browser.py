"""In a real browser: the packets of an alert come when they are scrolled to, and unfold to their layers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.soc_ui.seed import USER
from tests.soc_ui.test_alert_packets import filled_with_packets
from tests.system.browser import MARKS, Served, Watch

pytestmark = [*MARKS, pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(filled_with_packets(tmp_path_factory.mktemp("packets")))
    yield served
    served.close()


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_packets_are_found_looked_into_and_taken(console: Served, chromium: Browser, tmp_path: Path, lang: str, theme: str) -> None:
    page = console.context(chromium, USER, lang=lang, theme=theme).new_page()
    watch = Watch(page, console.url)
    page.goto("/alerts/1")
    section = page.locator("#packets")
    section.scroll_into_view_if_needed()
    expect(section.locator(".facts b").first).to_have_text("10", timeout=20_000)
    section.locator('a[href$="/packets/table"]').click()
    expect(section.locator("tr[data-expand]")).to_have_count(10, timeout=30_000)
    assert "<script>alert(1)</script>" in section.inner_text(), "text of the packet, and nothing that runs"
    toggle = section.locator("a.toggle").nth(3)
    toggle.focus()
    page.keyboard.press("Enter")
    layers = section.locator("tr.expanded details")
    expect(layers).to_have_count(5, timeout=30_000)
    layers.last.locator("summary").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "layers.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out at 1366 px"
    toggle.press("Enter")
    expect(layers).to_have_count(0)
    with page.expect_download() as taken:
        section.locator("a[download]").click()
    assert re.fullmatch(r"liandun-alert-1\.pcap", taken.value.suggested_filename)
    assert watch.problems == []
    page.context.close()
