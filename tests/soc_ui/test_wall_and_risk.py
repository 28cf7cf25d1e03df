"""Pages of risk and the wall: what they show, to whom, and that nothing typed comes back as markup."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from operations.accounts import service as accounts
from operations.accounts.models import User
from operations.audit.schema import SYSTEM
from operations.risk.keeping import RiskKeeper
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, USER, fill
from tests.soc_ui.seed_zones import fill_zones


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("wall"), events=100)
    fill_zones(services, events=300)
    RiskKeeper(services.database)()
    accounts.create_user(services.database, SYSTEM, "bureau.water", "Correct-Horse-7", "bureau", display_name="水务")
    with services.database.write() as session:
        session.execute(select(User).where(User.name == "bureau.water")).scalar_one().zones = '["water-ot"]'
    return services


@pytest.fixture
def browser(city: Services) -> FlaskClient:
    return browser_of(create_app(city), USER)


def test_the_wall_shows_every_page_and_its_part_is_no_whole_page(browser: FlaskClient) -> None:
    page = browser.get("/wall").text
    assert all(f'data-page="{name}"' in page for name in ("city", "alerts", "incidents", "risk", "ingest"))
    assert 'data-background="1"' in page  # an account that may change things is not kept logged in
    part = browser.get("/wall/part").text
    assert "<html" not in part
    assert 'data-page="city"' in part


def test_a_scope_sees_its_zones_on_the_wall_and_in_the_risks(city: Services) -> None:
    bureau = browser_of(create_app(city), "bureau.water")
    part = bureau.get("/wall/part").text
    assert 'data-page="ingest"' not in part
    assert "Water control network" in part
    assert "Government cloud" not in part
    assert bureau.get("/risk/zone?key=gov-cloud").status_code == 404
    assert bureau.get("/api/v1/risks/zone?key=gov-cloud").status_code == 404
    assert {row["zone"] for row in bureau.get("/api/v1/risks").json["risks"]} == {"water-ot"}
    assert bureau.get("/api/v1/risks").json["hidden"] > 0


def test_the_reasons_of_a_risk_begin_a_warning(browser: FlaskClient) -> None:
    page = browser.get("/risk/zone?key=water-ot").text
    assert "open alerts of level" in page
    assert "/warnings/new?risk=water-ot" in page
    form = browser.get("/warnings/new?risk=water-ot&kind=zone").text
    assert "Exposure 0." in form
    assert browser.get("/warnings/new?risk=nowhere&kind=zone").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/risk?q=<script>x</script>&zone=<b>", "/risk/asset?key=<script>x</script>", "/risk?sort=<script>x", "/risk?cursor=<script>x"],
)
def test_what_was_typed_is_text(browser: FlaskClient, path: str) -> None:
    assert "<script>x" not in browser.get(path).text


def test_numbers_are_changed_by_the_security_administrator_only(city: Services, browser: FlaskClient) -> None:
    assert post(browser, "/risk/settings", {"version": "0"}).status_code == 403
    secadmin = browser_of(create_app(city), ADMINISTRATORS["secadmin"][0])
    assert secadmin.get("/risk").status_code == 403
    assert secadmin.get("/wall").status_code == 403
    value = secadmin.get("/api/v1/risks/settings").json["value"]
    form = {f"{part}.{key}": number for part, of in value.items() if isinstance(of, dict) for key, number in of.items()}
    form |= {part: number for part, number in value.items() if not isinstance(number, dict)} | {"source": "test", "version": "0"}
    assert post(secadmin, "/risk/settings", form | {"quiet": "nan"}).status_code == 422
    assert post(secadmin, "/risk/settings", form | {"quiet": "0.2"}).status_code == 302
    assert post(secadmin, "/risk/settings", form).status_code == 409
