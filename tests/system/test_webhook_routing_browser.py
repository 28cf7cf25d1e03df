"""Routing of a webhook in a real browser, with and without script: Enter saves, the preview saves nothing, nothing overflows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from crypto.secret import MasterKey
from operations.audit.schema import SYSTEM
from operations.webhooks import service
from operations.webhooks.guard import WebhookPolicy
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch, check_pages
from tests.system.test_accessibility import RULES

pytestmark = MARKS
ADMINISTRATOR = ADMINISTRATORS["sysadmin"][0]
POLICY = WebhookPolicy(allow=("127.0.0.0/8",))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = replace(fill(tmp_path_factory.mktemp("routing"), events=60), master_key=MasterKey(b"0123456789abcdef"))
    fill_zones(services, events=60)
    return replace(services, webhook_policy=POLICY)


@pytest.fixture(scope="module")
def served(filled: Services) -> Iterator[Served]:
    running = Served(filled)
    yield running
    running.close()


@pytest.fixture
def target(filled: Services) -> int:
    key = filled.master_key
    assert key is not None
    with filled.database.write() as session:
        return service.create_target(session, SYSTEM, key, name="duty", url="http://127.0.0.1:9/", min_level="low", policy=POLICY)[
            0
        ].id


@pytest.mark.parametrize("script", [True, False])
def test_a_rule_is_previewed_saved_by_enter_and_wrong_beside_its_field(
    served: Served, filled: Services, target: int, chromium: Browser, script: bool
) -> None:
    context = served.context(chromium, ADMINISTRATOR, lang="en", script=script)
    page = context.new_page()
    watch = Watch(page, served.url)
    page.goto(f"/webhooks/{target}")
    page.get_by_role("link", name="Change", exact=True).click()
    rule = page.locator("#rule-1")
    rule.get_by_text("Kinds of event").click()
    rule.get_by_label("New alert", exact=True).check()
    rule.get_by_text("Only at these times").click()
    rule.get_by_label("Sat").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#rehearsal tbody tr").first).to_be_visible()
    expect(page.locator("#rule-1").get_by_label("New alert", exact=True)).to_be_checked()
    minutes = page.locator("input[name=digest]")
    minutes.evaluate("(field) => field.removeAttribute('max')") if script else None
    minutes.fill("1441" if script else "15")
    minutes.press("Enter")
    if script:
        expect(page.locator("#wrong")).to_have_text("A whole number of minutes from 1 to 1440.")
        page.locator("input[name=digest]").fill("15")
        page.locator("input[name=digest]").press("Enter")
    expect(page).to_have_url(re.compile(rf"/webhooks/{target}(\?done=webhook)?$"))
    expect(page.locator("main")).to_contain_text("New alert; Sat all day")
    with filled.database.read() as session:
        routing = service.get_target(session, target).routing
    assert routing["digest"] == {"minutes": 15, "through": "critical"}
    assert [(rule["types"], rule["hours"]["days"]) for rule in routing["rules"]] == [(["alert.created"], [6])]
    assert [one for one in watch.problems if "422" not in one] == []
    context.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_the_page_fits_and_is_accessible(served: Served, target: int, chromium: Browser, lang: str, theme: str) -> None:
    path = f"/webhooks/{target}/routing"
    check_pages(served, chromium, ADMINISTRATOR, (path, "/webhooks?kind=apprise"), lang=lang, theme=theme)
    context = served.context(chromium, ADMINISTRATOR, lang=lang, theme=theme)
    page = context.new_page()
    page.goto(path)
    page.get_by_role("button", name="预览" if lang == "zh" else "Preview").click()
    expect(page.locator("#rehearsal tbody tr").first).to_be_visible()
    faults = Axe().run(page, options=RULES).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in faults if fault["impact"] in ("serious", "critical")] == []
    context.close()
