"""Compliance in a real browser: pages fit every width without an error, axe-core finds nothing serious, a verdict is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from compliance.assessment import scoring
from compliance.assessment.record import record_many
from compliance.assessment.schema import CryptoDetail, Finding
from compliance.catalogue.load import requirements
from compliance.probing import service as probing
from compliance.probing.schema import TargetDraft
from compliance.systems import objects, service
from compliance.systems.schema import Filing, ObjectDraft, Responsible, SystemDraft
from operations.accounts.schema import Principal
from operations.audit.schema import Actor
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_compliance import AUDITOR, fill_documents, fill_findings, fill_review
from tests.soc_ui.seed_desk import fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, check_pages
from tests.system.test_accessibility import RULES

pytestmark = MARKS
SEC = ADMINISTRATORS["secadmin"][0]
PASSWORDS = "8.1.4.1.a"
WHO = Principal(0, SEC, "", "secadmin")


def fill_compliance(services: Services) -> int:
    """A system of the water authority with some objects, verdicts of a probe and two kept scores; its id."""
    database = services.database
    people = (Responsible("leader", "赵局"), Responsible("security", "钱安", "021-5550 1234"))
    filing = Filing("31010013579-25001", "2025-06-30", "兰亭市公安局", "水务局")
    draft = SystemDraft(
        "供水调度系统", "S3A3", "水务局", "调度全市供水", ("8.5",), ("water-ot",), people, "running", filing
    )  # fmt: skip
    with database.write() as session:
        system = service.create_system(session, WHO, draft).id
        objects.take_over_assets(session, WHO, system)
        for kind, name in (
            ("room", "一号机房"),
            ("server_os", "调度服务器"),
            ("database", "历史库"),
            ("security_device", "边界防火墙"),
        ):
            objects.add_object(session, WHO, system, ObjectDraft(kind, name))
        found = []
        there = objects.list_objects(session, system, limit=12).objects
        for number, placed in enumerate(requirements().placed()):
            for one in there:
                if one.kind in placed.item.objects and (number + one.id) % 5:
                    verdict = ("met", "met", "partly", "met", "not_met")[(number * 3 + one.id) % 5]
                    found.append(Finding(placed.item.id, one.id, verdict, "按配置核查", "ab" * 32, "sshd -T"))
        record_many(session, Actor("probe host.login_defs"), system, found, source="probe", on_drift=lambda _s, _d: None)
        line, mail = there[0].id, there[1].id
        units = [
            Finding("6.2.1", line, "met", "双向证书", crypto=CryptoDetail(True, True, True)),
            Finding(
                "6.2.1",
                mail,
                "partly",
                "3DES",
                crypto=CryptoDetail(True, False, True, 100, made_up_unit="6.2.1", made_up_object=line),
            ),
            Finding("6.4.4", line, "not_met", "明文", crypto=CryptoDetail()),
            Finding("7.1.1", None, "met", "有制度"),
        ]
        record_many(session, WHO.actor, system, units, source="person")
        for _ in range(2):
            scoring.keep(session, WHO, system, "2025")
        ssh = TargetDraft(system, there[0].id, "ssh", "[2001:db8::10:1:0:8]:2222", "audit", "ops-key")
        failed = probing.add(session, WHO, ssh)
        probing.note(session, failed, "nothing could be read: there is no host key of 2001:db8::10:1:0:8 port 2222")
        probing.note(session, probing.add(session, WHO, TargetDraft(system, 0, "platform")), "", "ab" * 32)
    return system


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, int]]:
    services = fill(tmp_path_factory.mktemp("compliance"), events=20)
    fill_zones(services, events=40)
    system = fill_compliance(services)
    server = Served(services)
    yield server, system
    server.close()


def pages(system: int) -> list[str]:
    one = f"/compliance/{system}"
    more = [f"{one}?result=all", f"{one}/edit", f"{one}/reports", f"{one}/controls/{PASSWORDS}"]
    return [
        "/compliance",
        "/compliance/new",
        "/compliance/map",
        "/compliance/to-confirm?kind=unit",
        one,
        *more,
        f"{one}/crypto",
        f"{one}/crypto/6.2.1",
        f"{one}/crypto/7.1.1",
        f"{one}/onsite",
    ]


def worked_on(system: int, host: int, request: int) -> list[str]:
    """Pages of what is done about an assessment."""
    one, lists = f"/compliance/{system}", ("findings", "findings/1", "waivers?state=", "documents", "documents/1", "documents/new")
    parts = ("controls/8.1.4.1.a", f"controls/8.1.4.1.a/evidence/{host}", "progress", "documents", "handouts")
    return [*(f"/compliance/{name}" for name in (*lists, "requests", f"requests/{request}")), *(f"{one}/{name}" for name in parts)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[str], str]]:
    """A console with findings, documents, requests and links; its pages, and the path of a link."""
    services = fill(tmp_path_factory.mktemp("remediation"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    system, host = fill_findings(services)
    fill_documents(services)
    made = fill_review(services, system, host)
    server = Served(services)
    yield server, worked_on(system, host, int(made["request"])), f"/handout/{made['open_token']}"
    server.close()


@pytest.mark.parametrize(("name", "lang", "theme"), [(SEC, "zh", "light"), (AUDITOR, "en", "dark")])
def test_pages_of_remediation_fit_and_are_accessible(
    desk: tuple[Served, list[str], str], chromium: Browser, name: str, lang: str, theme: str
) -> None:
    server, paths, _ = desk
    mine = [path for path in paths if name == SEC or not path.endswith("/new")]
    check_pages(server, chromium, name, mine, lang=lang, theme=theme)
    context = server.context(chromium, name, lang=lang, theme=theme)
    page, found = context.new_page(), []
    for path in mine:
        page.goto(path)
        for fault in Axe().run(page, options=RULES).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((path, fault["id"], fault["nodes"][0]["html"][:160]))
    context.close()
    assert found == []


def test_a_link_in_a_browser_that_knows_nobody(desk: tuple[Served, list[str], str], chromium: Browser) -> None:
    server, _, link = desk
    context = server.context(chromium, lang="zh")
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("heading", name="供水调度系统")).to_be_visible()
    expect(page.get_by_text("不代表测评机构的结论")).to_be_visible()
    faults = [
        one["id"] for one in Axe().run(page, options=RULES).response["violations"] if one["impact"] in ("serious", "critical")
    ]
    assert faults == []
    page.goto("/compliance/1")
    expect(page).to_have_url(re.compile("/login"))
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
def test_pages_fit_every_width(served: tuple[Served, int], chromium: Browser, lang: str, theme: str) -> None:
    server, system = served
    check_pages(server, chromium, SEC, pages(system), lang=lang, theme=theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_fault_of_accessibility(served: tuple[Served, int], chromium: Browser, theme: str) -> None:
    server, system = served
    context = server.context(chromium, SEC, theme=theme)
    page, found = context.new_page(), []
    for path in pages(system):
        page.goto(path)
        for fault in Axe().run(page, options=RULES).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((path, fault["id"], fault["nodes"][0]["html"][:160]))
    context.close()
    assert found == []


def test_a_verdict_with_its_reason(served: tuple[Served, int], chromium: Browser, tmp_path: Path) -> None:
    server, system = served
    context = server.context(chromium, SEC, lang="zh")
    page = context.new_page()
    page.goto(f"/compliance/{system}/controls/{PASSWORDS}")
    row = page.get_by_role("row").filter(has_text="调度服务器").first
    row.get_by_text("判定", exact=True).click()
    row.locator("select[name=verdict]").select_option("not_met")
    row.locator("textarea[name=reason]").fill("抽查发现弱口令")
    row.get_by_role("button", name="保存").click()
    expect(page.get_by_role("row").filter(has_text="调度服务器").first).to_contain_text("抽查发现弱口令")
    context.close()
