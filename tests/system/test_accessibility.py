"""axe-core over the pages of the console: no serious fault of accessibility (WCAG 2.1 A and AA), dark and light."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.soc_ui.seed import ADMINISTRATORS, USER
from tests.system.browser import MARKS, Served

pytestmark = MARKS
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}, "resultTypes": ["violations"]}
ANALYST = (
    *("/", "/wall", "/alerts?view=all", "/alerts/1", "/incidents", "/incidents/new", "/warnings?status=published", "/warnings/new"),
    *("/alerts/views", "/alerts/suppressions", "/alerts/suppressions/new?alert=1"),
    *("/risk", "/attack", "/hunt?last=all", "/tickets", "/tickets/new", "/services", "/duty", "/duty/roster", "/zones"),
    *("/zones/water-ot", "/conduits", "/assets", "/sources", "/sources/quarantine", "/rules", "/keys", "/account", "/password"),
)
SYSTEM_ADMINISTRATOR = ("/people", "/people/proposals", "/webhooks", "/health", "/health/licences", "/sources")
AUDITOR = ("/audit",)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(
    ("name", "paths"),
    [(USER, ANALYST), (ADMINISTRATORS["sysadmin"][0], SYSTEM_ADMINISTRATOR), (ADMINISTRATORS["auditadmin"][0], AUDITOR)],
    ids=["analyst", "sysadmin", "auditadmin"],
)
def test_no_serious_fault(city: Served, chromium: Browser, name: str, paths: tuple[str, ...], theme: str) -> None:
    context = city.context(chromium, name, theme=theme)
    page = context.new_page()
    found = []
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        for fault in Axe().run(page, options=RULES).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((path, fault["id"], len(fault["nodes"]), fault["nodes"][0]["html"][:160]))
    context.close()
    assert found == []
