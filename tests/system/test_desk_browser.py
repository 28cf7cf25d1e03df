"""In a real browser: a permit makes a violation lawful until it ends; a shift is handed over. Nothing leaves the origin."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kernel.event import SHANGHAI, timestamp
from kernel.zones.enrich import enrich
from kernel.zones.snapshot import ZoneSource, write_snapshot
from operations import clock
from operations.accounts.schema import Policy
from operations.duty import roster
from operations.duty.schema import Wish
from operations.duty.shifts import DAY_MINUTES, Shift
from operations.services import service as catalogue
from operations.services.catalogue import CATALOGUE
from operations.zones import service as zones
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import as_, fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch, check_pages

pytestmark = MARKS


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A city of its own: these stories change the zone plan and who is on duty."""
    services = replace(fill(tmp_path_factory.mktemp("desk"), events=50), policy=Policy(second_factor="administrators"))
    fill_zones(services, events=200)
    fill_desk(services)
    served = Served(services)
    yield served
    served.close()


@pytest.fixture
def verdict(desk: Served, tmp_path: Path) -> Callable[[str], Any]:
    """What workers say of MQTT from a traffic camera to the water network at a moment, with the plan as it is now."""

    def ask(moment: str) -> Any:
        with desk.services.database.read() as session:
            write_snapshot(zones.snapshot(session), tmp_path / "zones.bin")
        event = {
            "@timestamp": moment, "event.id": "e", "event.dataset": "suricata.flow", "network.transport": "tcp",
            "source.ip": "10.50.0.7", "source.port": 51000, "destination.ip": "10.60.0.9", "destination.port": 8883,
        }  # fmt: skip
        enrich(event, ZoneSource(tmp_path / "zones.bin")())
        return event.get("zone.verdict")

    return ask


def _page(chromium: Browser, desk: Served, name: str) -> tuple[Page, Watch]:
    """A browser of its own for each person."""
    page = desk.context(chromium, name).new_page()
    return page, Watch(page, desk.url)


def test_a_violation_is_permitted_until_the_permit_ends(
    desk: Served, chromium: Browser, verdict: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(clock.now()) == "denied"
    bureau, watch = _page(chromium, desk, "jiao.tong")
    # By keyboard to the services; the bureau applies for what was a violation.
    bureau.goto("/")
    bureau.keyboard.press("g")
    bureau.keyboard.press("v")
    bureau.wait_for_url("**/services")
    bureau.get_by_role("link", name="申请: 跨区访问许可").click()
    bureau.locator("select[name=source]").select_option("traffic-iot")
    bureau.locator("select[name=target]").select_option("water-ot")
    bureau.locator("textarea[name=services]").fill("mqtts")
    bureau.locator("input[name=days]").fill("2")
    bureau.locator("textarea[name=reason]").fill("桥下积水联动封路")
    bureau.get_by_role("button", name="申请").click()
    bureau.wait_for_url("**/services/applications/*")
    address = bureau.url.split("?")[0]
    expect(bureau.get_by_text("通往感知层（控制器、摄像机）。")).to_be_visible()
    assert verdict(clock.now()) == "denied"

    # The operator finds it in the queue, accepts and issues; that alone permits nothing.
    duty, duty_watch = _page(chromium, desk, "zhao.zhiban")
    duty.goto("/services?open=1")
    duty.get_by_role("link", name=re.compile("traffic-iot → water-ot")).click()
    duty.get_by_role("button", name="受理").click()
    duty.get_by_role("button", name="签发，随后由第二人确认").click()
    expect(duty.get_by_text("待第二人确认").first).to_be_visible()
    expect(duty.get_by_role("button", name="作为第二人确认")).to_have_count(0)
    assert verdict(clock.now()) == "denied"

    # The security administrator is the second person.
    planner, planner_watch = _page(chromium, desk, ADMINISTRATORS["secadmin"][0])
    planner.goto(address)
    planner.get_by_role("button", name="作为第二人确认").click()
    expect(planner.get_by_text("已办结").first).to_be_visible()
    now = clock.shift(clock.now(), 1)
    assert verdict(now) == "permitted"
    bureau.goto(address)
    bureau.get_by_role("link", name=re.compile("permit-")).click()
    expect(bureau.get_by_role("heading", level=1)).to_contain_text("permit-")

    # After its end it is a violation again, and the page says so.
    end = clock.shift(now, 2 * 86_400)
    assert verdict(end) == "expired"
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: end)
        with desk.services.database.write() as session:
            assert catalogue.expire_due(session) == 1
    bureau.goto(address)
    expect(bureau.get_by_text("已到期").first).to_be_visible()
    assert watch.problems + duty_watch.problems + planner_watch.problems == []


def test_a_shift_is_handed_over(desk: Served, chromium: Browser) -> None:
    # Two shifts, the present one ends in half an hour.
    now = datetime.now(UTC)
    local = (now - timedelta(hours=11, minutes=30)).astimezone(SHANGHAI)
    start = local.hour * 60 + local.minute
    who, database = as_(desk.services, "zhao.zhiban")
    with database.write() as session:
        shifts = (Shift("one", "甲班", "", start, 720), Shift("two", "乙班", "", (start + 720) % DAY_MINUTES, 720))
        roster.set_shifts(session, who, shifts)
        days = [(local + timedelta(days=offset)).strftime("%Y-%m-%d") for offset in (-1, 0, 1)]
        wishes = [Wish(day, shift, 1, name) for day in days for shift, name in (("one", "zhao.zhiban"), ("two", "sun.zhiban"))]
        roster.plan(session, who, wishes)
        assert [one.name for one in roster.on_duty(session, timestamp(now)).now] == ["zhao.zhiban"]

    leaving, watch = _page(chromium, desk, "zhao.zhiban")
    leaving.goto("/")
    expect(leaving.get_by_role("link", name="值班 赵值班")).to_be_visible()
    leaving.keyboard.press("g")
    leaving.keyboard.press("u")
    leaving.wait_for_url("**/duty")
    leaving.get_by_label("经过").fill("21:10 水务局来电，泵站恢复")
    leaving.keyboard.press("Enter")
    expect(leaving.get_by_text("21:10 水务局来电，泵站恢复")).to_be_visible()
    leaving.get_by_label("交班记录").fill("工单 1 待水务局复核")
    leaving.get_by_role("button", name="写交班记录").click()
    expect(leaving.get_by_text("待接班", exact=True)).to_be_visible()
    expect(leaving.get_by_role("button", name="接班", exact=True)).to_have_count(0)

    coming, coming_watch = _page(chromium, desk, "sun.zhiban")
    coming.goto("/duty")
    expect(coming.get_by_text("工单 1 待水务局复核").first).to_be_visible()
    coming.get_by_label("备注").fill("已阅")
    coming.get_by_role("button", name="接班", exact=True).click()
    expect(coming.get_by_text("已接班", exact=True)).to_be_visible()

    # A matter goes to the next person, who answers.
    leaving.goto("/tickets/1")
    leaving.get_by_text("上报下一位值班人员").click()
    leaving.get_by_role("textbox", name="原因", exact=True).fill("委办局未按期签收")
    leaving.get_by_role("button", name="上报", exact=True).click()
    expect(leaving.get_by_text("已上报下一位值班人员。")).to_be_visible()
    coming.goto("/duty")
    coming.get_by_role("button", name="由我处理").click()
    expect(coming.get_by_text("没有待应答的上报。")).to_be_visible()
    assert watch.problems + coming_watch.problems == []


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
def test_no_page_overflows_or_asks_elsewhere(desk: Served, chromium: Browser, lang: str, theme: str) -> None:
    of_duty = ("/tickets", "/tickets/1", "/tickets/new?alert=1", "/services", "/services/applications/1", "/services/quota/terms",
               "/services/supervision", "/duty", "/duty/roster", "/duty/handovers", "/alerts/1")  # fmt: skip
    check_pages(desk, chromium, "zhao.zhiban", of_duty, lang=lang, theme=theme)
    forms = [f"/services/{service.id}/apply" for service in CATALOGUE]
    check_pages(desk, chromium, "shui.wu", ("/tickets/1", "/services", *forms), lang=lang, theme=theme)
