"""The console in a real browser: set-up, triage by keyboard, hunt, export; nothing is asked from another origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from operations.accounts import links
from operations.accounts.schema import Policy
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from soc_ui.services import ConsoleSettings
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.system.browser import MARKS, Served, Watch, check_pages

pytestmark = MARKS


@pytest.fixture
def first_run(tmp_path: Path) -> Iterator[Served]:
    """A demonstration that nobody has set up yet."""
    services = replace(
        fill(tmp_path, events=50, with_account=False),
        settings=ConsoleSettings(demo=True),
        policy=Policy(second_factor="administrators"),  # as ./run has it
    )
    served = Served(services)
    yield served
    served.close()


def _choose_password(page: Page) -> None:
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=again]").fill(PASSWORD)
    for rule in ("length", "classes", "name", "again"):
        expect(page.locator(f"[data-rule={rule}]")).to_have_class("ok")
    page.get_by_role("button", name="创建账户").click()


def test_from_first_run_to_the_overview(first_run: Served, chromium: Browser) -> None:
    context = first_run.context(chromium)
    page = context.new_page()
    watch = Watch(page, first_run.url)
    with first_run.services.database.write() as session:
        token = links.create_setup_token(session)

    # The rule of the password is shown while typing.
    page.goto(f"/setup?token={token}")
    page.get_by_label("用户名").fill("xu.xitong")
    page.locator("input[name=password]").fill("short")
    expect(page.locator("[data-rule=length]")).to_have_class("no")
    _choose_password(page)
    # Three links: two for other people, one to look at the city at once.
    expect(page.locator("[data-link]")).to_have_count(3)
    page.get_by_role("link", name="进入城市").click()
    page.get_by_label("用户名").fill("lin.mei")
    _choose_password(page)
    expect(page.get_by_role("heading", name="总览", exact=True)).to_be_visible()
    expect(page.locator("[data-chart=alerts] canvas")).to_be_visible()

    # Log out and in again.
    page.locator("summary", has_text="lin.mei").click()
    page.get_by_role("button", name="退出登录").click()
    page.get_by_label("用户名").fill("lin.mei")
    page.get_by_label("口令").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="告警", exact=True)).to_be_visible()
    assert watch.problems == []
    context.close()


def test_from_triage_by_keyboard_to_export(city: Served, chromium: Browser, tmp_path: Path) -> None:
    def acknowledged() -> int:
        with city.services.database.read() as session:
            return alerts.count_alerts(session, AlertFilter(status=("acknowledged",))).count

    context = city.context(chromium, USER)
    page = context.new_page()
    watch = Watch(page, city.url)
    before = acknowledged()

    # Triage without a mouse: g a, j j x j x, a; then take it back.
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts?status=*")
    for key in ("j", "j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-selected]")).to_have_text("2")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("已更改 2 条告警")
    assert acknowledged() == before + 2
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".toast")).to_contain_text("已撤销 2 条")
    assert acknowledged() == before

    # Open one by keyboard, beside the list and as a page; go back to the same place.
    page.keyboard.press("j")
    expect(page.locator("tr.is-cursor")).to_have_count(1)
    cursor = page.locator("tr.is-cursor").get_attribute("data-id")
    page.keyboard.press("Enter")  # beside the list
    expect(page.locator("#flyout-title")).to_be_focused()
    page.wait_for_url(f"**/alerts?status=*#alert-{cursor}")
    page.keyboard.press("Enter")  # the whole page
    page.wait_for_url(f"**/alerts/{cursor}")
    expect(page.get_by_role("heading", name="为何触发")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/alerts?status=*#alert-{cursor}")
    page.keyboard.press("Escape")
    expect(page.locator("[data-flyout]")).to_be_hidden()
    expect(page.locator("tr.is-cursor")).to_have_attribute("data-id", cursor or "")

    # Hunt: a query, one event, a pivot, the export.
    page.goto("/hunt")
    page.locator("input.q").fill("event.dataset:linux.auth")
    page.keyboard.press("Enter")
    expect(page.locator("[data-chart=histogram] canvas")).to_be_visible()
    page.locator("tr[data-expand] td.t").first.click()
    expect(page.locator("tr.expanded")).to_contain_text("source.ip")
    page.locator("tr.expanded tr", has_text="source.ip").get_by_title("仅看此值的事件").click()
    page.wait_for_url("**source.ip**")
    query = page.locator("input.q").input_value()
    assert query.startswith('event.dataset:linux.auth AND source.ip:"')
    page.locator("summary", has_text="导出").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    download.value.save_as(tmp_path / "events.jsonl")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert events
    assert {event["event.dataset"] for event in events} == {"linux.auth"}

    assert watch.problems == []
    context.close()


def test_keys_go_from_page_to_page_and_a_search_shows_that_it_works(city: Served, chromium: Browser) -> None:
    context = city.context(chromium, USER)
    page = context.new_page()
    page.goto("/")
    for key, path in (("h", "/hunt"), ("z", "/zones"), ("h", "/hunt"), ("d", "/assets")):  # no page takes the next keys for text
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"{city.url}{path}**")
    page.goto("/hunt?last=all")
    page.keyboard.press("/")
    expect(page.locator("input.q")).to_be_focused()

    # While the store is asked the histogram says so, and it says when no answer came.
    asked = []
    page.route("**/hunt/histogram.json*", lambda route: asked.append(route))
    page.reload()
    box = page.locator("[data-chart=histogram]")
    expect(box).to_have_attribute("aria-busy", "true")
    asked[0].fulfill(status=400, content_type="application/json", body='{"error": "too long"}')
    expect(box).not_to_have_attribute("aria-busy", "true")
    expect(box).to_contain_text("事件库没有应答")
    page.unroute("**/hunt/histogram.json*")
    page.goto("/hunt")
    expect(page.locator(".examples")).to_contain_text("每次检索最多 256 个条件、60 秒")
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")  # a browser that waits answers no questions
    page.locator("input.q").fill("10.21.77.0/24")
    page.locator("input.q").press("Enter")
    expect(page.locator("form.querybar")).to_have_attribute("aria-busy", "true")
    page.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(page.locator("form.querybar")).not_to_have_attribute("aria-busy", "true")
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_page_overflows_or_asks_elsewhere(city: Served, chromium: Browser, lang: str, theme: str) -> None:
    paths = (
        *("/", "/alerts", "/alerts/1", "/hunt", "/hunt?q=*%20%7C%20top%20host.name", "/sources", "/sources/quarantine"),
        *("/rules", "/rules/suricata:9000042", "/account", "/account/factor", "/password"),
    )
    check_pages(city, chromium, USER, paths, lang=lang, theme=theme)


def test_reading_works_without_script(city: Served, chromium: Browser) -> None:
    context = city.context(chromium, script=False)
    page = context.new_page()
    page.goto("/login")
    page.locator("input[name=name]").fill(USER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button.btn-primary").click()
    page.goto("/alerts?view=all")
    page.locator("tr[data-id] input").first.check()
    page.locator("button[value=acknowledge]").click()
    expect(page.locator(".toast")).to_contain_text("已更改 1 条告警")
    page.goto("/hunt?q=event.dataset:linux.auth")
    page.locator("tr[data-expand] a.toggle").first.click()
    expect(page.locator("table.kv")).to_contain_text("source.ip")
    context.close()
