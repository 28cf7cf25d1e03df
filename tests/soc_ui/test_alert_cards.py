"""Cards of devices and zones on the page of an alert and beside the queue: owner, zone, importance, risk, within the scope."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts.models import AlertEntity
from operations.audit.schema import SYSTEM
from operations.risk.keeping import RiskKeeper
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import fill_zones


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("cards"), events=20)
    fill_zones(services, events=200)
    RiskKeeper(services.database)()
    create_user(services.database, SYSTEM, "shui.wu", PASSWORD, "bureau", reach=Reach(organisations=("水务局",)))
    return services


def alert_of(services: Services, kind: str, value: str) -> int:
    """An alert that names it."""
    with services.database.read() as session:
        query = select(AlertEntity.alert_id).where(AlertEntity.kind == kind, AlertEntity.value == value).limit(1)
        return int(session.execute(query).scalar_one())


def cards(page: str) -> list[str]:
    """The words of each card, without marks."""
    found = re.findall(r'<div class="card-facts">(.*?)</div>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


@pytest.mark.parametrize("part", ["", "/flyout"])
def test_a_card_tells_owner_importance_and_risk(filled: Services, client: FlaskClient, part: str) -> None:
    number = alert_of(filled, "zone", "water-ot")
    page = client.get(f"/alerts/{number}{part}", headers={"HX-Request": "true"}).text
    water = next(one for one in cards(page) if "水务局" in one and "Zone" not in one)
    assert re.fullmatch(r"Owner 水务局 Importance 5 Risk \w \d+ \w+", water)
    assert "/risk/zone?key=water-ot" in page


def test_a_device_tells_its_zone(filled: Services, client: FlaskClient) -> None:
    with filled.database.read() as session:
        number = session.execute(select(AlertEntity.alert_id).where(AlertEntity.kind == "asset").limit(1)).scalar_one()
    assert any("Zone" in one and "Risk" in one for one in cards(client.get(f"/alerts/{number}").text))


def test_a_bureau_is_told_of_its_own_only(filled: Services, app: APIFlask) -> None:
    number = alert_of(filled, "zone", "water-ot")
    seen = cards(browser_of(app, "shui.wu").get(f"/alerts/{number}").text)
    assert seen
    assert [one for one in seen if "水务局" not in one] == []
