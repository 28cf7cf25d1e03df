"""axe-core over the pages of the console: no serious fault of accessibility (WCAG 2.1 A and AA), dark and light."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.soc_ui.seed import ADMINISTRATORS, USER
from tests.system.browser import MARKS, Served

pytestmark = MARKS
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}, "resultTypes": ["violations"]}
ANALYST = (
    *("/", "/wall", "/alerts?view=all", "/alerts/1", "/incidents", "/incidents/new", "/warnings?status=published", "/warnings/new"),
    *("/alerts/views", "/alerts/suppressions", "/alerts/suppressions/new?alert=1", "/alerts/groups", "/api/v1/docs"),
    *("/risk", "/attack", "/hunt?last=all", "/tickets", "/tickets/new", "/services", "/duty", "/duty/roster", "/zones"),
    *("/zones/water-ot", "/conduits", "/assets", "/sources", "/sources/quarantine", "/rules", "/keys", "/account", "/password"),
    *("/hunt/searches", "/rules/tuning", "/rules/exceptions", "/rules/exceptions/new?alert=1", "/rules/failures", "/improvements"),
    *("/incidents/deadlines", "/duty/handovers", "/services/supervision", "/zoneplan", "/assets/new", "/risk/settings"),
    *("/warnings/settings", "/playbooks", "/playbooks/runs", "/playbooks/questions", "/playbooks/triggers"),
)
SYSTEM_ADMINISTRATOR = (
    "/people",
    "/people/proposals",
    "/webhooks",
    "/webhooks/deliveries",
    "/webhooks/inbound",
    "/playbooks/secrets",
    "/health",
    "/health/licences",
    "/sources",
)
SECURITY_ADMINISTRATOR = ("/people/proposals", "/zones", "/zoneplan", "/zoneplan/zone", "/alerts/suppressions", "/rules/exceptions")
AUDITOR = ("/audit",)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(
    ("name", "paths"),
    [
        (USER, ANALYST),
        (ADMINISTRATORS["sysadmin"][0], SYSTEM_ADMINISTRATOR),
        (ADMINISTRATORS["secadmin"][0], SECURITY_ADMINISTRATOR),
        (ADMINISTRATORS["auditadmin"][0], AUDITOR),
    ],
    ids=["analyst", "sysadmin", "secadmin", "auditadmin"],
)
def test_no_serious_fault(city: Served, chromium: Browser, name: str, paths: tuple[str, ...], theme: str) -> None:
    context = city.context(chromium, name, theme=theme)
    page = context.new_page()
    found = []
    left = list(paths)
    for path in left:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        if path in paths and (entry := _first_entry(page, path.partition("?")[0], left)):
            left.append(entry)
        for fault in Axe().run(page, options=RULES).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((path, fault["id"], len(fault["nodes"]), fault["nodes"][0]["html"][:160]))
    context.close()
    assert found == []


def _first_entry(page: Page, path: str, known: list[str]) -> str:
    """The first page below a list, "" where it leads to none that is not ``known``."""
    targets = page.locator("main a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    below = re.compile(rf"{re.escape(path)}/(?!.*\.(?:csv|json|ya?ml|xlsx|pdf)$)[^/?#]+")
    return next((one for one in targets if path != "/" and below.fullmatch(one) and one not in known), "")
