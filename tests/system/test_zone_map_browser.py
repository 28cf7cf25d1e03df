"""The zone map in a real browser: point at a line, open it, close it, register a device; nothing leaves the origin."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from operations.accounts.schema import Policy
from operations.assets import register
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.test_console_browser import CHROMIUM, Watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian/Ubuntu: apt install chromium)"),
]


class City:
    """A served console over a city, and its services."""

    def __init__(self, folder: Path) -> None:
        self.services: Services = replace(fill(folder, events=50), policy=Policy(second_factor="administrators"))
        fill_zones(self.services, events=1500)
        self._server = make_server("127.0.0.1", 0, create_app(self.services), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    running = City(tmp_path_factory.mktemp("city"))
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


def _enter(context: BrowserContext, city: City) -> tuple[Page, Watch]:
    page = context.new_page()
    watch = Watch(page, city.url)
    page.goto("/login")
    page.locator("input[name=name]").fill(USER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(city.url + "/")
    return page, watch


def test_from_the_map_to_a_registered_device(city: City, chromium: Browser) -> None:
    context = chromium.new_context(base_url=city.url, viewport={"width": 1366, "height": 768})
    page, watch = _enter(context, city)

    # By keyboard to the map; the line that a person points at says what it is.
    page.keyboard.press("g")
    page.keyboard.press("z")
    page.wait_for_url("**/zones")
    line = page.locator("#flow-denied-egov-extranet-water-ot")
    line.focus()
    expect(page.locator("[data-map-hint]")).to_contain_text("政务外网 → 水务工业控制网")
    expect(page.locator(".raised path")).to_have_count(1)

    # Enter opens its details beside the map, the address keeps it; Escape closes and gives the focus back.
    page.keyboard.press("Enter")
    panel = page.locator("#crossing")
    expect(panel).to_contain_text("modbus")
    expect(panel).to_contain_text("没有通往该方向的通道")
    assert "crossing=egov-extranet%3Ewater-ot" in page.url
    expect(line).to_have_class(re.compile("is-chosen"))
    page.keyboard.press("Escape")
    expect(panel).to_be_empty()
    assert "crossing" not in page.url
    expect(line).to_be_focused()

    # A reload with the line in the address shows the same; the refresh of the map leaves it open.
    page.goto("/zones?crossing=egov-extranet%3Ewater-ot")
    expect(panel).to_contain_text("modbus")
    with page.expect_response(lambda answer: "/zones?" in answer.url and "hx-request" in answer.request.headers, timeout=20_000):
        page.mouse.move(5, 5)
    expect(panel).to_contain_text("modbus")
    expect(line).to_have_class(re.compile("is-chosen"))
    page.locator("#crossing").get_by_role("link", name="跨区事件").click()
    page.wait_for_url("**/hunt?**")
    expect(page.locator("tr[data-expand]").first).to_be_visible()

    # A card leads to its zone, from there to a device that nobody registered; register it.
    page.goto("/zones")
    page.locator("#card-water-ot").click()
    page.wait_for_url("**/zones/water-ot**")
    expect(page.locator("[data-chart=histogram] canvas")).to_be_visible()
    page.get_by_role("link", name="10.60.0.231").first.click()
    expect(page.get_by_text("该设备尚未登记。")).to_be_visible()
    page.locator("input[name=id]").fill("wtr-service-pc")
    page.locator("input[name=bureau]").fill("水务局")
    page.get_by_role("button", name="登记", exact=True).click()
    page.wait_for_url("**/assets/wtr-service-pc**")
    expect(page.locator(".toast")).to_contain_text("资产已保存")
    with city.services.database.read() as session:
        record = register.get(session, "wtr-service-pc")
    assert (record.status, record.bureau, record.addresses) == ("registered", "水务局", ["10.60.0.231"])

    # Two more at once, by keyboard, with the preview between.
    page.goto("/assets?status=observed&zone=fin-private")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-selected]")).to_have_text("2")
    page.get_by_role("button", name="登记…").click()
    expect(page.get_by_role("heading", name="登记 2 台设备")).to_be_visible()
    page.get_by_role("button", name="登记 2 台设备").click()
    expect(page.locator(".toast")).to_contain_text("已登记 2 台设备")

    assert watch.problems == []
    context.close()


@pytest.mark.parametrize(
    ("lang", "theme", "width"), [("zh", "dark", 1366), ("en", "light", 1366), ("en", "dark", 1920), ("zh", "light", 1024)]
)
def test_no_page_overflows_or_asks_elsewhere(city: City, chromium: Browser, lang: str, theme: str, width: int) -> None:
    context = chromium.new_context(base_url=city.url, viewport={"width": width, "height": 800})
    context.add_cookies([{"name": name, "value": value, "url": city.url} for name, value in (("lang", lang), ("theme", theme))])
    page, watch = _enter(context, city)
    for path in (
        *("/", "/zones", "/zones?crossing=egov-extranet%3Edata-platform", "/zones/gov-cloud", "/zoneplan"),
        *("/conduits", "/conduits/logs", "/assets", "/assets?status=observed", "/assets/water-ot-02", "/assets/new"),
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide == 0, f"{path} is {too_wide} px too wide"
    assert watch.problems == []
    context.close()


def test_the_map_works_without_script(city: City, chromium: Browser) -> None:
    context = chromium.new_context(base_url=city.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login")
    page.locator("input[name=name]").fill(USER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button.btn-primary").click()
    page.goto("/zones")
    page.locator("#flow-denied-egov-extranet-water-ot").dispatch_event("click")
    page.wait_for_url("**crossing=**")
    expect(page.locator("#crossing")).to_contain_text("modbus")
    page.goto("/assets?status=observed")
    page.locator("input[name=ids]").first.check()
    page.get_by_role("button", name="登记…").click()
    expect(page.get_by_role("heading", name="登记 1 台设备")).to_be_visible()
    context.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [1366, 1920])
def test_nothing_that_matters_is_cut(city: City, chromium: Browser, lang: str, width: int) -> None:
    context = chromium.new_context(base_url=city.url, viewport={"width": width, "height": 768 if width < 1900 else 1080})
    context.add_cookies([{"name": "lang", "value": lang, "url": city.url}])
    page, _watch = _enter(context, city)
    cut = """(selector) => [...document.querySelectorAll(selector)].filter((one) =>
        one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1).map((one) => one.innerText)"""
    page.goto("/zones?last=all")
    assert page.evaluate(cut, ".zname, .kpi span") == []
    page.goto("/assets?status=registered")
    assert page.locator("table.assets thead th").nth(1).bounding_box()["width"] >= 200  # name and id of a device
    if width >= 1900:
        assert page.evaluate(cut, "table.assets td:nth-child(4)") == []
    for path in ("/hunt?last=all", "/conduits", "/conduits?new=1", "/assets"):
        page.goto(path)
        too_wide = page.evaluate(
            "[...document.querySelectorAll('.table-wrap')].map((one) => one.scrollWidth - one.clientWidth).filter(Boolean)"
        )
        assert too_wide == [], path
    page.goto("/conduits")
    assert page.locator("main .card").first.bounding_box()["width"] > width - 260  # nothing closed stands beside it
    context.close()
