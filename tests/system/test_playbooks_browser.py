"""Playbooks in a real browser: from an alert to what was done, answered by several people while the page follows by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from operations.accounts import service as accounts
from operations.accounts.schema import Policy
from operations.audit.schema import SYSTEM
from playbooks.actions.own_kinds import own
from playbooks.actions.registry import standard
from playbooks.run.executor import Executor, Settings
from soc_ui.services import Services
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_playbooks import fill_runs, fill_shelf, shipped, two_people
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, Watch, check_pages
from tests.system.test_accessibility import RULES

pytestmark = MARKS
DRILL = json.loads(shipped("drill"))["id"]
CLOSE = json.loads(shipped("close-out"))["id"]
ROLES = ("analyst", "responder", "duty", "leader")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("response"), events=60)
    fill_zones(services, events=60)
    for role in ROLES:
        accounts.create_user(services.database, SYSTEM, f"the.{role}", PASSWORD, role)
    fill_shelf(services.database)
    return services


@pytest.fixture(scope="module")
def runs(filled: Services) -> dict[str, int]:
    return fill_runs(filled.database)


@pytest.fixture(scope="module")
def served(filled: Services) -> Iterator[Served]:
    running = Served(replace(filled, policy=Policy(second_factor="administrators")))
    yield running
    running.close()


def test_from_an_alert_to_the_end_of_a_run(served: Served, filled: Services, chromium: Browser) -> None:
    kinds = standard() | own(filled.database)
    context = served.context(chromium, "the.analyst")
    page = context.new_page()
    watch = Watch(page, served.url)
    with Executor(filled.database, kinds, Settings(workers=2, poll=0.05)):
        page.goto("/alerts/1")
        page.get_by_role("link", name="执行剧本").click()
        page.get_by_role("link", name="应急演练", exact=True).click()
        expect(page.locator("input[name='value.__alert_id__']")).to_have_value("1")
        page.locator("input[name='value.__scenario__']").fill("勒索")
        page.get_by_role("button", name="启动").click()
        page.wait_for_url("**/playbooks/runs/*")
        expect(page.locator("#run-live .badge").first).to_contain_text("等待答复", timeout=10_000)
        expect(page.locator(".fbox.is-asked")).to_have_count(1)
        card = page.locator(".asked.mine")
        expect(card).to_contain_text("勒索")
        card.locator("textarea[name=comment]").fill("这里还没写完")
        page.wait_for_timeout(2_500)  # the page has asked again; what is being typed stays
        expect(card.locator("textarea[name=comment]")).to_have_value("这里还没写完")
        card.get_by_role("button", name="无法完成").click()
        expect(page.locator(".story")).to_contain_text("这里还没写完", timeout=10_000)
        page.locator("input[name=reason]").fill("演练取消")
        page.get_by_role("button", name="取消执行").click()
        expect(page.locator("#run-live .badge").first).to_contain_text("已取消", timeout=10_000)
        expect(page.locator("#run-live")).not_to_have_attribute("hx-get", "x")
    assert watch.problems == []
    context.close()


def test_two_people_approve_while_a_third_watches(
    served: Served, filled: Services, runs: dict[str, int], chromium: Browser
) -> None:
    path = f"/playbooks/runs/{runs['approval']}"
    contexts = {role: served.context(chromium, f"the.{role}", lang="en") for role in ("analyst", "duty", "leader")}
    watching = contexts["analyst"].new_page()
    watching.goto(path)
    expect(watching.locator("#run-people")).to_contain_text("Your role cannot answer this")
    with Executor(filled.database, standard() | own(filled.database), Settings(workers=2, poll=0.05), gate=two_people):
        for role in ("duty", "leader"):
            page = contexts[role].new_page()
            page.goto("/playbooks/questions?kind=approval")
            page.get_by_role("button", name="Approve exactly this").click()
            page.wait_for_url("**/playbooks/questions*")
        expect(watching.locator("#run-live .badge").first).to_contain_text("Completed", timeout=15_000)
        expect(watching.locator(".fbox.is-done")).to_have_count(1)
    for context in contexts.values():
        context.close()


def test_without_script_a_question_is_answered_and_a_version_checked(
    served: Served, filled: Services, runs: dict[str, int], chromium: Browser
) -> None:
    context = served.context(chromium, "the.responder", lang="en", script=False)
    page = context.new_page()
    page.goto(f"/playbooks/runs/{runs['evil']}")
    expect(page.locator(".fbox.is-asked")).to_have_count(1)
    page.locator("input[name='value.__found__']").fill("nothing")
    page.get_by_role("button", name="It is done").click()
    expect(page.locator(".toast")).to_contain_text("Answer given")
    page.goto(f"/playbooks/{CLOSE}/edit")
    page.locator("textarea[name=document]").fill("{")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#checked")).to_contain_text("it cannot run yet")
    context.close()


def test_a_switch_and_a_called_playbook_are_put_in_by_the_editor(served: Served, filled: Services, chromium: Browser) -> None:
    context = served.context(chromium, "the.responder", lang="en")
    page = context.new_page()
    watch = Watch(page, served.url)
    page.goto("/playbooks/new")
    page.locator("#checked .fbox").first.click()  # a box of the chart opens its step
    expect(page.locator("input[name='step.name']")).to_have_value("Look at it")
    page.locator("select[name=kind]").select_option("switch-condition")
    page.get_by_role("button", name="Add after it").click()
    expect(page.locator("#step-problems")).to_contain_text("switch")
    page.locator("select[name='step.switch']").select_option("__matter__:value")
    page.locator("input[name='case.1.value']").fill("webshell")
    page.locator("input[name='case.1.value']").press("Enter")
    expect(page.locator("input[name='case.1.value']")).to_have_value("webshell")
    expect(page.locator("input[name='case.2.value']")).to_have_value("")
    expect(page.locator("#step-problems")).to_have_count(0)
    page.locator("select[name=kind]").select_option("playbook-action")
    page.get_by_role("button", name="Add after it").click()
    expect(page.locator("#step-problems")).to_contain_text("playbook_id")
    page.locator("select[name='step.playbook_id']").select_option(CLOSE)
    page.locator("input[name=in_args][value=__matter__]").check()
    page.get_by_role("button", name="Change the step").last.click()
    expect(page.locator("select[name='step.playbook_id']")).to_have_value(CLOSE)
    expect(page.locator("input[name=in_args][value=__matter__]")).to_be_checked()
    expect(page.locator("#checked")).to_contain_text("it can run")
    text = page.locator("textarea[name=document]")
    text.fill(text.input_value().replace('"webshell": "action--', '"webshell": "action--0'))  # the check follows what is typed
    expect(page.locator("#checked")).to_contain_text("cases.webshell", timeout=10_000)
    assert watch.problems == []
    context.close()


PATHS = (
    *("/playbooks", f"/playbooks/{DRILL}?version=2", f"/playbooks/{DRILL}/difference?old=1&new=2", "/playbooks/new"),
    *("/playbooks/import", f"/playbooks/{DRILL}/start", "/playbooks/start?kind=alert&id=1", "/playbooks/questions"),
    *("/playbooks/questions/1", "/playbooks/runs", "/playbooks/triggers", f"/playbooks/triggers/new?kind=alert&playbook={DRILL}"),
)


@pytest.mark.parametrize(("lang", "theme"), [("zh", "dark"), ("en", "light")])
def test_no_page_overflows_or_asks_elsewhere(
    served: Served, runs: dict[str, int], chromium: Browser, lang: str, theme: str
) -> None:
    paths = (*PATHS, *(f"/playbooks/runs/{number}" for number in runs.values()))
    check_pages(served, chromium, "the.duty", paths, lang=lang, theme=theme)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_serious_fault_of_accessibility(served: Served, runs: dict[str, int], chromium: Browser, theme: str) -> None:
    context = served.context(chromium, "the.duty", theme=theme)
    page = context.new_page()
    found = []
    for path in (*PATHS, f"/playbooks/runs/{runs['shipped']}", f"/playbooks/runs/{runs['failed']}"):
        page.goto(path)
        for fault in Axe().run(page, options=RULES).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((path, fault["id"], len(fault["nodes"]), fault["nodes"][0]["html"][:160]))
    context.close()
    assert found == []
