"""In a real browser: a permit makes a violation lawful until it ends; a shift is handed over. Nothing leaves the origin."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from kernel.event import SHANGHAI, timestamp
from kernel.zones.enrich import enrich
from kernel.zones.snapshot import ZoneSource, write_snapshot
from operations import clock
from operations.accounts import sessions
from operations.accounts.models import User
from operations.accounts.schema import Policy
from operations.duty import roster
from operations.duty.schema import Wish
from operations.duty.shifts import DAY_MINUTES, Shift
from operations.services import service as desk
from operations.zones import service as zones
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import as_, fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.system.test_console_browser import CHROMIUM, Watch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian/Ubuntu: apt install chromium)"),
]


class Desk:
    """A served console with bureaus, and what workers say of a flow with the plan as it is now."""

    def __init__(self, folder: Path) -> None:
        self.services: Services = replace(fill(folder, events=50), policy=Policy(second_factor="administrators"))
        fill_zones(self.services, events=200)
        fill_desk(self.services)
        self._folder = folder
        self._server = make_server("127.0.0.1", 0, create_app(self.services), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def verdict(self, moment: str) -> Any:
        """Of MQTT from a traffic camera to the water network, which no conduit permits."""
        with self.services.database.read() as session:
            write_snapshot(zones.snapshot(session), self._folder / "zones.bin")
        event = {
            "@timestamp": moment, "event.id": "e", "event.dataset": "suricata.flow", "network.transport": "tcp",
            "source.ip": "10.50.0.7", "source.port": 51000, "destination.ip": "10.60.0.9", "destination.port": 8883,
        }  # fmt: skip
        enrich(event, ZoneSource(self._folder / "zones.bin")())
        return event.get("zone.verdict")

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    running = Desk(tmp_path_factory.mktemp("desk"))
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


def _page(chromium: Browser, city: Desk, name: str) -> tuple[Page, Watch]:
    """A browser of its own for each person, logged in as in test_accounts_browser."""
    context = chromium.new_context(base_url=city.url, viewport={"width": 1366, "height": 768})
    with city.services.database.write() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one()
        token = sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")
    context.add_cookies([{"name": sessions.SESSION_COOKIE, "value": token, "url": city.url}])
    page = context.new_page()
    return page, Watch(page, city.url)


def test_a_violation_is_permitted_until_the_permit_ends(city: Desk, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert city.verdict(clock.now()) == "denied"
    bureau, watch = _page(chromium, city, "jiao.tong")
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
    assert city.verdict(clock.now()) == "denied"

    # The operator finds it in the queue, accepts and issues; that alone permits nothing.
    duty, duty_watch = _page(chromium, city, "zhao.zhiban")
    duty.goto("/services?open=1")
    duty.get_by_role("link", name=re.compile("traffic-iot → water-ot")).click()
    duty.get_by_role("button", name="受理").click()
    duty.get_by_role("button", name="签发，随后由第二人确认").click()
    expect(duty.get_by_text("待第二人确认").first).to_be_visible()
    expect(duty.get_by_role("button", name="作为第二人确认")).to_have_count(0)
    assert city.verdict(clock.now()) == "denied"

    # The security administrator is the second person.
    planner, planner_watch = _page(chromium, city, ADMINISTRATORS["secadmin"][0])
    planner.goto(address)
    planner.get_by_role("button", name="作为第二人确认").click()
    expect(planner.get_by_text("已办结").first).to_be_visible()
    now = clock.shift(clock.now(), 1)
    assert city.verdict(now) == "permitted"
    bureau.goto(address)
    bureau.get_by_role("link", name=re.compile("permit-")).click()
    expect(bureau.get_by_role("heading", level=1)).to_contain_text("permit-")

    # After its end it is a violation again, and the page says so.
    end = clock.shift(now, 2 * 86_400)
    assert city.verdict(end) == "expired"
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: end)
        with city.services.database.write() as session:
            assert desk.expire_due(session) == 1
    bureau.goto(address)
    expect(bureau.get_by_text("已到期").first).to_be_visible()
    assert watch.problems + duty_watch.problems + planner_watch.problems == []


def test_a_shift_is_handed_over(city: Desk, chromium: Browser) -> None:
    # Two shifts, the present one ends in half an hour.
    now = datetime.now(UTC)
    local = (now - timedelta(hours=11, minutes=30)).astimezone(SHANGHAI)
    start = local.hour * 60 + local.minute
    who, database = as_(city.services, "zhao.zhiban")
    with database.write() as session:
        shifts = (Shift("one", "甲班", "", start, 720), Shift("two", "乙班", "", (start + 720) % DAY_MINUTES, 720))
        roster.set_shifts(session, who, shifts)
        days = [(local + timedelta(days=offset)).strftime("%Y-%m-%d") for offset in (-1, 0, 1)]
        wishes = [Wish(day, shift, 1, name) for day in days for shift, name in (("one", "zhao.zhiban"), ("two", "sun.zhiban"))]
        roster.plan(session, who, wishes)
        assert [one.name for one in roster.on_duty(session, timestamp(now)).now] == ["zhao.zhiban"]

    leaving, watch = _page(chromium, city, "zhao.zhiban")
    leaving.goto("/")
    expect(leaving.get_by_role("link", name="值班 赵值班")).to_be_visible()
    leaving.keyboard.press("g")
    leaving.keyboard.press("u")
    leaving.wait_for_url("**/duty")
    leaving.get_by_label("发生了什么").fill("21:10 水务局来电，泵站恢复")
    leaving.keyboard.press("Enter")
    expect(leaving.get_by_text("21:10 水务局来电，泵站恢复")).to_be_visible()
    leaving.get_by_label("交班记录").fill("工单 1 待水务局复核")
    leaving.get_by_role("button", name="写交班记录").click()
    expect(leaving.get_by_text("待接班", exact=True)).to_be_visible()
    expect(leaving.get_by_role("button", name="接班", exact=True)).to_have_count(0)

    coming, coming_watch = _page(chromium, city, "sun.zhiban")
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
