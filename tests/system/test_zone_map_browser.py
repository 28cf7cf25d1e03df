"""The zone map in a real browser: point at a line, open it, close it, register a device; nothing leaves the origin."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from operations.assets import register
from tests.soc_ui.seed import USER
from tests.system.browser import MARKS, Served, Watch, check_pages

pytestmark = MARKS


def test_from_the_map_to_a_registered_device(city: Served, chromium: Browser) -> None:
    context = city.context(chromium, USER)
    page = context.new_page()
    watch = Watch(page, city.url)
    page.goto("/")

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


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_page_overflows_or_asks_elsewhere(city: Served, chromium: Browser, lang: str, theme: str) -> None:
    paths = (
        *("/", "/zones", "/zones?crossing=egov-extranet%3Edata-platform", "/zones/gov-cloud", "/zoneplan"),
        *("/conduits", "/conduits/logs", "/assets", "/assets?status=observed", "/assets/water-ot-02", "/assets/new"),
    )
    check_pages(city, chromium, USER, paths, lang=lang, theme=theme)


def test_the_map_works_without_script(city: Served, chromium: Browser) -> None:
    context = city.context(chromium, USER, script=False)
    page = context.new_page()
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
def test_nothing_that_matters_is_cut(city: Served, chromium: Browser, lang: str, width: int) -> None:
    context = city.context(chromium, USER, lang=lang, width=width)
    page = context.new_page()
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
