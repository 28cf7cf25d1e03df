"""Pages of inbound webhooks: add, show the secret once, edit, renew, counters, remove."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from crypto.secret import MasterKey
from operations.inbound import service
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.operations.inbound.sending import body, signed
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_zones import fill_zones

FORM = {"name": "IDS <b>", "zone": "water-ot", "max_level": "medium", "rate": "30"}
LIST = "/webhooks/inbound"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("inbound"), events=0)
    fill_zones(made, events=10)
    return replace(made, master_key=MasterKey(b"0123456789abcdef"))


@pytest.fixture(scope="module")
def open_as(filled: Services) -> Callable[[str], FlaskClient]:
    app = create_app(filled)
    return lambda lang: browser_of(app, ADMINISTRATORS["sysadmin"][0], lang)


@pytest.fixture(scope="module")
def browser(open_as: Callable[[str], FlaskClient]) -> FlaskClient:
    return open_as("en")


def newest(filled: Services) -> int:
    with filled.database.read() as session:
        return max(source.id for source in service.sources(session))


def test_a_source_from_its_first_day_to_its_last(
    browser: FlaskClient, filled: Services, open_as: Callable[[str], FlaskClient]
) -> None:
    assert "No inbound source is set up" in browser.get(LIST).text
    made = post(browser, LIST, FORM)
    assert made.status_code == 200
    (secret,) = re.findall(r'value="(whsec_[^"]+)"', made.text)
    (public,) = re.findall(r"/api/v1/inbound/(in_[0-9a-f]{32})", made.text)
    path = f"{LIST}/{newest(filled)}"
    message = body(level="critical")
    sent = signed(secret, message)
    browser.application.test_client().post(f"/api/v1/inbound/{public}", data=message, headers=sent, content_type="application/json")
    browser.application.test_client().post(f"/api/v1/inbound/{public}", data=b"{}", headers=sent, content_type="application/json")
    shown = browser.get(path)
    assert secret not in shown.text
    assert "IDS &lt;b&gt;" in shown.text
    assert "<b>水务局</b>" in shown.text
    assert re.search(r"Taken as alerts</td><td>1<", shown.text)
    assert re.search(r"wrong signature</td><td>1<", shown.text)
    zh = open_as("zh")
    assert "拒绝：签名错误" in zh.get(path).text
    assert "可上报的最高级别" in zh.get(LIST).text
    version = re.search(r'name="version" value="(\d+)"', shown.text)
    assert version is not None
    saved = post(browser, path, FORM | {"name": "scanner", "rate": "60", "version": version[1]})
    assert saved.location.endswith("?done=inbound")
    assert "scanner" in browser.get(saved.location).text
    assert post(browser, path, FORM | {"version": version[1]}).status_code == 409
    renewed = post(browser, path + "/secret", {})
    assert "whsec_" in renewed.text
    assert "Old secret is good until" in renewed.text
    assert browser.get(path + "/secret").status_code == 302
    assert post(browser, path + "/previous", {}).status_code == 302
    assert "Old secret is good until" not in browser.get(path).text
    assert post(browser, path + "/switch", {"enabled": "off"}).status_code == 302
    with filled.database.read() as session:
        assert not service.get(session, newest(filled)).enabled
    assert post(browser, path + "/remove", {}).status_code == 302
    assert browser.get(path).status_code == 404


WRONG = {"name": ["", "x" * 129], "rate": ["0", "٣", "9" * 99, "x"], "zone": ["nowhere"], "max_level": [""]}


@pytest.mark.parametrize("wrong", [{field: value} for field, values in WRONG.items() for value in values])
def test_what_is_refused(browser: FlaskClient, wrong: dict[str, str]) -> None:
    answer = post(browser, LIST, FORM | wrong)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_without_the_token_of_a_page_nothing_is_made(browser: FlaskClient) -> None:
    assert browser.post(LIST, data=FORM).status_code == 400


def test_without_a_master_key(filled: Services) -> None:
    bare = browser_of(create_app(replace(filled, master_key=None)), ADMINISTRATORS["sysadmin"][0])
    assert "no master key" in bare.get(LIST).text
    assert post(bare, LIST, FORM).status_code == 503
