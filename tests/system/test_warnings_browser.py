"""A warning from its first word to the reminder: by people in a real browser, the real scheduler, a real receiver of webhooks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, update
from standardwebhooks import Webhook

from crypto.secret import MasterKey
from kernel.layout import Layout
from operations import clock
from operations.audit.schema import Actor
from operations.warnings.models import WarningReceipt
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookTarget
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_warnings import ORANGE, fill_warnings
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch, check_pages
from tests.system.platform import ROOT, wait_until

pytestmark = MARKS
LOOPBACK = "127.0.0.0/8"


class Receiver:
    """Takes webhooks on loopback, and verifies each signature with the library of Standard Webhooks."""

    def __init__(self) -> None:
        self.secret = ""
        self.messages: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                Webhook(receiver.secret).verify(body, dict(self.headers))
                receiver.messages.append(orjson.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/liandun"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message["data"] for message in self.messages if message["type"] == kind]

    def close(self) -> None:
        self._server.shutdown()


class City:
    """A console, its data directory, and the scheduler that works on it."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        layout = Layout(folder).create()
        services = fill(folder, events=40)
        fill_zones(services, events=200)
        self.ids = fill_warnings(services, PASSWORD)
        key, policy = MasterKey.load(layout.master_key), WebhookPolicy(allow=(LOOPBACK,))
        with services.database.write() as session:
            session.execute(delete(WebhookTarget))
            _target, receiver.secret = webhooks.create_target(
                session, Actor("xu.xitong"), key, name="hook", url=receiver.url, min_level="high", policy=policy
            )
        self.services: Services = replace(services, master_key=key, webhook_policy=policy)
        self.served = Served(self.services)
        (folder / "liandun.toml").write_text(f'[webhooks]\nallowed_networks = ["{LOOPBACK}"]\n', "utf-8")
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(folder)}
        self._log = (folder / "scheduler.out").open("wb")
        self.scheduler = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "cli", "role", "scheduler", "--stay"]
        return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log)

    def kill_scheduler(self) -> None:
        """kill -9, and a new one."""
        os.kill(self.scheduler.pid, signal.SIGKILL)
        self.scheduler.wait()
        self.scheduler = self._start()

    def close(self) -> None:
        self.scheduler.terminate()
        self.scheduler.wait(30)
        self._log.close()
        self.served.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("warnings"), receiver)
    yield made
    made.close()


def page_of(city: City, chromium: Browser, name: str, watches: list[Watch]) -> Page:
    page = city.served.context(chromium, name).new_page()
    watches.append(Watch(page, city.served.url))
    return page


def test_an_orange_warning_is_published_signed_and_the_late_one_reminded(city: City, receiver: Receiver, chromium: Browser) -> None:
    watches: list[Watch] = []
    analyst, leader, duty, water = (page_of(city, chromium, name, watches) for name in (USER, "he.ling", "zhou.ban", "shui.wu"))

    # The analyst drafts it, by keyboard from the overview to the board.
    analyst.goto("/")
    analyst.keyboard.press("g")
    analyst.keyboard.press("w")
    analyst.wait_for_url("**/warnings?status=*")
    analyst.get_by_role("link", name="起草预警").click()
    analyst.get_by_label("标题").fill("某品牌交换机远程代码执行漏洞")
    analyst.get_by_label("对象重要程度").select_option("special")
    analyst.get_by_label("可能损害程度").select_option("severe")
    texts = {"事件性质": "nature", "威胁方式": "threat", "影响范围": "extent", "涉及对象": "objects", "影响程度": "effect"}
    for label, name in (texts | {"防范对策": "measures"}).items():
        analyst.get_by_label(label, exact=True).fill(getattr(ORANGE, name))
    analyst.get_by_label("财政局", exact=True).check()
    analyst.get_by_label("水务工业控制网").check()
    analyst.get_by_role("button", name="保存草稿").click()
    analyst.wait_for_url("**/warnings/*")
    address = "/" + analyst.url.split("/", 3)[3].split("?")[0]
    analyst.get_by_role("button", name="提交审批").click()
    expect(analyst.locator(".toast")).to_contain_text("由另一人审批")

    # The second person approves, the duty officer publishes.
    leader.goto("/")
    expect(leader.locator(".nav .count")).to_have_text(["待您处理 2"])
    leader.goto(address)
    leader.get_by_role("button", name="批准").click()
    expect(leader.locator(".toast")).to_contain_text("已批准")
    duty.goto(address)
    duty.get_by_role("button", name="发布", exact=True).click()
    expect(duty.locator(".toast")).to_contain_text("已发布")
    expect(duty.locator(".warning-head")).to_contain_text("橙色（Ⅱ级）")
    wait_until(lambda: len(receiver.of("warning.published")) == 1, 30, "the bulletin is at the receiver")
    bulletin = receiver.of("warning.published")[-1]
    assert (bulletin["level"], sorted(bulletin["organisations"])) == ("orange", ["水务局", "财政局"])

    # The bureau signs and answers.
    water.goto("/warnings?mine=1")
    water.get_by_role("link", name="某品牌交换机远程代码执行漏洞").click()
    water.get_by_role("button", name="签收").click()
    expect(water.locator(".toast")).to_contain_text("已签收")
    water.get_by_label("处置措施与排查结果").fill("已升级固件 12 台")
    water.get_by_role("button", name="提交反馈").click()
    expect(water.locator(".toast")).to_contain_text("已反馈")

    # Two hours pass; the scheduler is killed in between. The bureau that has not signed is reminded of, once.
    number = int(address.rsplit("/", 1)[1])
    with city.services.database.write() as session:
        late = update(WarningReceipt).where(WarningReceipt.warning_id == number)
        session.execute(late.values(receipt_due=clock.shift(clock.now(), -60)))
    city.kill_scheduler()
    wait_until(lambda: any(each["id"] == number for each in receiver.of("warning.overdue")), 60, "the reminder is at the receiver")
    time.sleep(6)  # one more turn of the scheduler
    told = [each for each in receiver.of("warning.overdue") if each["id"] == number]
    assert [(each["organisation"], each["step"]) for each in told] == [("财政局", "receipt")]
    duty.goto(address)
    row = duty.locator(".matrix-table tr", has_text="财政局")
    expect(row).to_contain_text("逾期")
    expect(row).to_contain_text("已催办")
    expect(duty.locator(".matrix-table tr", has_text="水务局")).to_contain_text("已升级固件 12 台")
    duty.goto("/warnings?overdue=1")
    expect(duty.get_by_role("link", name="某品牌交换机远程代码执行漏洞")).to_be_visible()

    # Lifted, it is announced, and nothing is due any more.
    duty.goto(address)
    duty.locator("summary", has_text="解除预警").click()
    duty.get_by_label("解除理由").fill("补丁已全部安装")
    duty.get_by_role("button", name="解除预警").click()
    expect(duty.locator(".toast")).to_contain_text("预警已解除")
    wait_until(lambda: [each["id"] for each in receiver.of("warning.lifted")] == [number], 30, "the end is at the receiver")
    assert [problem for watch in watches for problem in watch.problems] == []
    for page in (analyst, leader, duty, water):
        page.context.close()


def test_the_forms_work_without_script(city: City, chromium: Browser) -> None:
    context = city.served.context(chromium, "zhou.ban", script=False)
    page = context.new_page()
    page.goto(f"/warnings/{city.ids['submitted']}")
    page.get_by_role("button", name="批准").click()
    expect(page.locator(".badge.st-approved")).to_be_visible()
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
def test_every_page_fits(city: City, chromium: Browser, lang: str, theme: str) -> None:
    pages = ["/", "/warnings?view=all", "/warnings?overdue=1", "/warnings/new", "/warnings/new?alert=1", "/warnings/settings"]
    pages += [f"/warnings/{number}" for number in city.ids.values()] + [f"/warnings/{city.ids['draft']}/edit"]
    check_pages(city.served, chromium, "zhou.ban", pages, lang=lang, theme=theme)
    check_pages(city.served, chromium, "shui.wu", ["/warnings?mine=1", f"/warnings/{city.ids['overdue']}"], lang=lang, theme=theme)
    check_pages(city.served, chromium, ADMINISTRATORS["secadmin"][0], ["/warnings/settings"], lang=lang, theme=theme)
