"""One city and one Chromium for all tests with a browser: each file would spend seconds on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, sync_playwright

from operations.accounts.schema import Policy
from soc_ui.services import Services
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import CHROMIUM, Served


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a browser come last: Playwright's event loop stays in the thread, where asyncio.run would find it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled_city(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """Alerts, events, zones, a person of each role (tests.soc_ui.seed). A test leaves what the others need."""
    services = fill(tmp_path_factory.mktemp("city"), events=600)
    fill_zones(services, events=1500)
    return services


@pytest.fixture(scope="session")
def city(filled_city: Services) -> Iterator[Served]:
    """The console of the city as ./run has it: only administrators need a second factor."""
    served = Served(replace(filled_city, policy=Policy(second_factor="administrators")))
    yield served
    served.close()


@pytest.fixture(scope="session")
def office(filled_city: Services) -> Iterator[Served]:
    """The same city, in which everybody needs a second factor. Security keys know names only, so it is reached as localhost."""
    served = Served(filled_city, "localhost")
    yield served
    served.close()
