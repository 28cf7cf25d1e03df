"""Words without a place to break, as long as forms admit them, make no page wider than the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from operations.improvements import service as improvements
from operations.improvements.schema import Draft
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_desk import as_, people
from tests.soc_ui.seed_zones import fill_zones
from tests.system.browser import MARKS, Served, check_pages

pytestmark = MARKS
WORD = "W" * 200
DUTY = "zhao.zhiban"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    services = fill(tmp_path_factory.mktemp("long"), events=20)
    fill_zones(services, events=40)
    people(services)
    duty, whole = as_(services, DUTY)
    with whole.write() as session:
        create_incident(session, duty.actor, NewIncident(WORD, description=WORD * 8, reporter=WORD, zones=("water-ot",)))
        improvements.propose(session, duty, Draft(title=WORD, source="audit"))
    served = Served(services)
    yield served
    served.close()


@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
def test_no_page_is_wider_than_the_window(served: Served, chromium: Browser, lang: str, theme: str) -> None:
    paths = ("/incidents/1", "/incidents", "/incidents/1/timeline", "/improvements", "/improvements/1", "/alerts/groups", "/keys")
    check_pages(served, chromium, DUTY, paths, lang=lang, theme=theme)
