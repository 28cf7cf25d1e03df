"""The demo city in a real browser: a brute force becomes an incident, its class is decided, a task done, a report read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import docx as office
import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from sqlalchemy import update

from cli.demo_incidents import DemoIncidents
from kernel.db import Database, open_database
from operations.accounts.models import User
from operations.accounts.schema import Policy
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit.schema import SYSTEM, Actor
from operations.incidents import service
from operations.incidents.schema import IncidentFilter, NewIncident
from tests.soc_ui.seed import USER, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, check_pages
from tests.system.platform import Platform, wait_until

PASSWORD = "Correct-Horse-7"
BRUTE_FORCE = ("attack.t1110", "attack.t1110.001", "attack.t1110.003")
pytestmark = MARKS


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    running = Platform(tmp_path / "data", "--demo", "--speed", "20")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def page(platform: Platform, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{platform.console_port}", viewport={"width": 1366, "height": 900}, accept_downloads=True
    )
    yield context.new_page()
    context.close()


def _attacked(database: Database) -> list[int]:
    with database.read() as session:
        return alerts.matching_ids(session, AlertFilter(tag=BRUTE_FORCE), 50)


def _seeded(database: Database) -> int:
    with database.read() as session:
        return service.count_incidents(session, IncidentFilter()).count


def test_from_a_brute_force_to_the_initial_report(platform: Platform, page: Page, tmp_path: Path) -> None:
    database = open_database(platform.layout.state_url)
    create_user(database, SYSTEM, "zhou.chu", PASSWORD, "responder", display_name="周处", policy=Policy())
    wait_until(lambda: _seeded(database) >= 3, 240, "the demo's three incidents stand")
    wait_until(lambda: bool(_attacked(database)), 60, "a brute force was found")

    page.goto("/login")
    page.get_by_label("用户名").fill("zhou.chu")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)

    # the demo's incidents: a drill that says so, clocks in words
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents")
    expect(page.get_by_role("link", name="疑似口令暴力破解")).to_be_visible()
    page.get_by_role("link", name="全部", exact=True).click()
    expect(page.locator("tr", has_text="演练").first).to_contain_text("YL-")

    # take the alert of that incident out, so that the story begins with an alert of the queue
    with database.read() as session:
        first = next(row for row in service.list_incidents(session).incidents if row.title == "疑似口令暴力破解")
        chosen = service.alerts_of(session, first.id)[0]
    page.goto(f"/incidents/{first.id}")
    page.locator("tr", has=page.locator(f'a[href="/alerts/{chosen.id}"]')).get_by_role("button", name="移出").click()
    expect(page.locator(".toast")).to_contain_text("安全事件已更新")

    # from the queue, by keyboard
    page.goto("/alerts?view=all&" + "&".join(f"tag={tag}" for tag in chosen.tags if tag in BRUTE_FORCE))
    row = page.locator(f'tr[data-id="{chosen.id}"]')
    row.locator("input[name=ids]").check()
    page.locator("[data-act=incident]").click()
    expect(page.get_by_role("heading", name="新建安全事件")).to_be_visible()
    expect(page.get_by_role("heading", name="1 条告警")).to_be_visible()
    page.get_by_label("标题").fill("暴力破解处置")
    page.get_by_role("button", name="建立安全事件").click()
    page.wait_for_url("**/incidents/*")
    here = page.url.partition("?")[0]

    # its class and level are decided by a person
    decision = page.locator("#decision")
    expect(decision).to_contain_text("待确认")
    decision.get_by_label("业务损失").select_option("serious")
    decision.get_by_label("对象重要程度").select_option("important")
    decision.get_by_role("button", name="认定").click()
    expect(decision).to_contain_text("凭据攻击事件 · 较大")
    expect(page.locator("tr", has_text="初报")).to_contain_text("剩余")

    # a task is done
    page.get_by_role("link", name="任务").click()
    page.get_by_role("button", name="完成: 核实告警真伪").click()
    expect(page.locator("li", has_text="核实告警真伪").first).to_contain_text("完成")

    # the initial report, read back
    page.get_by_role("link", name="报告与复盘").click()
    page.get_by_role("button", name="签发", exact=True).click()
    expect(page.locator("summary", has_text="BG-")).to_be_visible(timeout=20_000)
    for form in ("DOCX", "PDF"):
        with page.expect_download() as download:
            page.get_by_role("link", name=form).click()
        download.value.save_as(tmp_path / form)
    body = office.Document(BytesIO((tmp_path / "DOCX").read_bytes()))
    told = "\n".join(cell.text for table in body.tables for row in table.rows for cell in row.cells)
    for part in ("暴力破解处置", "凭据攻击事件", "较大", "核实告警真伪"):
        assert part in told, part
    assert any("初报" in part.text for part in body.paragraphs)
    assert "初报" in "".join(each.extract_text() for each in PdfReader(BytesIO((tmp_path / "PDF").read_bytes())).pages)

    # the alert names its incident
    page.goto(f"/alerts/{chosen.id}")
    expect(page.get_by_role("link", name="暴力破解处置")).to_have_attribute(
        "href", here.replace(page.url.partition("/alerts")[0], "")
    )
    database.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A city with the demo's incidents, one of them with a long title, a report and evidence."""
    services = fill(tmp_path_factory.mktemp("incidents"), events=60)
    fill_zones(services, events=400)
    actor = Actor(USER, "192.0.2.5")
    seed = DemoIncidents(services.database)
    for _turn in range(2):
        seed()
    with services.database.write() as session:
        session.execute(update(User).where(User.name == USER).values(role="responder"))
        title = "机房空调故障" * 30 + "-" + "x" * 60
        wanted = NewIncident(title, severity="critical", operator="cii", zones=("gov-cloud",), detected_at="2026-01-01T00:00:00Z")
        made = service.create_incident(session, actor, wanted)
        service.add_indicator(session, actor, made.id, "url", "http://evil.example/" + "a" * 400)
        service.add_task(session, actor, made.id, "y" * 200)
        service.add_asset(session, actor, made.id, "service", "z" * 200, layer="cloud", impact="影响" * 200)
        service.write(session, actor, made.id, "note", "w" * 500)
        service.add_action(session, actor, made.id, "v" * 200)
        assert services.master_key is not None
        told = {"reason": "r" * 200, "origin": "o" * 200}
        service.seal(session, services.master_key, actor, made.id, "n" * 200, b"mail", **told)
    service.issue(services.database, actor, made.id, "initial")
    running = Served(replace(services, policy=Policy(second_factor="administrators")))
    yield running
    running.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_page_overflows_or_asks_elsewhere(served: Served, chromium: Browser, lang: str, theme: str) -> None:
    tabs = ("", "/timeline", "/tasks", "/indicators", "/assets", "/evidence", "/reports")
    paths = [f"/incidents/{number}{tab}" for number in (3, 4) for tab in tabs]
    paths += ["/incidents", "/incidents?view=all", "/incidents/new", "/incidents/new?alert=1", "/incidents/deadlines"]
    check_pages(served, chromium, USER, paths, lang=lang, theme=theme)
