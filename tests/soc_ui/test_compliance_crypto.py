"""Pages of GB/T 39786: units by D, A and K, the total, high risks and who decides about them."""

from __future__ import annotations

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from compliance.catalogue.load import crypto_requirements
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import fill_desk
from tests.soc_ui.seed_zones import fill_zones
from tests.soc_ui.test_compliance_pages import EVIL, made, objects_of

FULL = {"verdict": "measured", "D": "1", "A": "1", "K": "1"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("crypto"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["secadmin"][0])


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_units_by_d_a_and_k_come_to_the_total_by_hand(sec: FlaskClient) -> None:
    address = made(sec, "密评系统")
    for name in ("line", "mail", "fax"):
        post(sec, f"{address}/objects", {"kind": "server_os", "name": name})
    line, mail, fax = objects_of(sec, address)
    start = words(sec.get(f"{address}/crypto").text)
    assert "There is no total yet" in start
    assert "0 of 41 units" in start
    unit = f"{address}/crypto/6.2.1"
    assert post(sec, unit, {"object": str(line), "version": "0", **FULL, "reason": "双向证书"}).status_code == 302
    half = {"object": str(mail), "version": "0", "verdict": "measured", "D": "1", "K": "1", "bits": "100", "reason": "3DES"}
    assert post(sec, unit, half).status_code == 302
    gone = {"object": str(fax), "version": "0", "verdict": "not_applicable", "reason": "已停用"}
    assert post(sec, unit, gone).status_code == 302
    # D yes, A no with 100 bits: 0.5 × 0.5 = 0.25; the unit is the mean of the two that apply: (1 + 0.25) / 2
    page = words(sec.get(unit).text)
    for told in ("0.2500", "1.0000", "0.6250", "3DES", "已停用"):
        assert told in page, told
    assert (
        post(sec, f"{address}/crypto/7.1.1", {"object": "0", "version": "0", "verdict": "met", "reason": "制度"}).status_code == 302
    )
    # one technical and one management unit: 70 × 0.625 + 30 × 1
    assert "73.75 · basically met provisional" in words(sec.get(f"{address}/crypto").text)
    stale = post(sec, unit, {"object": str(line), "version": "0", **FULL, "reason": "x"})
    assert (stale.status_code, "Nothing was changed" in stale.text) == (409, True)
    other = {"object": str(mail), "version": "1", "verdict": "measured", "made_up_by": f"6.2.1:{line}", "reason": "由专线弥补"}
    assert post(sec, unit, other).status_code == 302
    assert "0.5000" in words(sec.get(unit).text), "half of what makes up for it"
    assert post(sec, unit, {"object": str(mail), "version": "2", "withdraw": "1", "reason": "误判"}).status_code == 302
    assert "0.5000" not in words(sec.get(unit).text)


def test_every_unit_met_is_a_hundred(sec: FlaskClient) -> None:
    address = made(sec, "全符合系统")
    for layer, unit in crypto_requirements().units():
        said = FULL if layer.group == "technical" else {"verdict": "met"}
        assert (
            post(sec, f"{address}/crypto/{unit.id}", {"object": "0", "version": "0", **said, "reason": "核查"}).status_code == 302
        )
    page = words(sec.get(f"{address}/crypto").text)
    assert "100.00 · met 41 of 41 units" in page
    assert post(sec, f"{address}/score", {"template": "39786"}).status_code == 302
    assert "39786 100.00" in words(sec.get(address).text)


def test_a_failed_unit_is_a_high_risk_until_a_person_says_why_not(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "高风险系统")
    unit = f"{address}/crypto/6.2.1"
    post(sec, unit, {"object": "0", "version": "0", "verdict": "measured", "reason": "明文"})
    assert "high risk" in words(sec.get(f"{address}/crypto").text)
    lower = {"kind": "crypto_lowered", "subject": "6.2.1", "version": "0", "reason": "专线在机房内"}
    leader = browser_of(app, "zhao.zhiban")
    assert post(leader, f"{address}/crypto", lower).status_code == 403
    assert post(leader, unit, {"object": "0", "version": "1", **FULL, "reason": "x"}).status_code == 403
    assert ">Judge<" not in leader.get(unit).text
    assert post(sec, f"{address}/crypto", lower).status_code == 302
    assert "lowered by a person" in words(sec.get(f"{address}/crypto").text)
    assert "专线在机房内" in sec.get(unit).text
    assert post(sec, f"{address}/crypto", {**lower, "version": "1", "withdraw": "1"}).status_code == 302
    found = {"kind": "crypto_risk", "subject": "MD5 存口令", "version": "0", "reason": "应用账户表"}
    assert post(sec, f"{address}/crypto", found).status_code == 302
    assert "应用账户表" in sec.get(f"{address}/crypto").text
    assert post(sec, f"{address}/crypto", {**found, "kind": "hazard"}).status_code == 422


def test_what_is_refused_and_what_stays_text(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, EVIL)
    post(sec, f"{address}/objects", {"kind": "server_os", "name": EVIL})
    (number,) = objects_of(sec, address)
    unit = f"{address}/crypto/6.1.1"
    for wrong in ({"verdict": "partly"}, {"verdict": "x"}, {**FULL, "made_up_by": "6.1.1:x"}, {**FULL, "made_up_by": "9.9:1"}):
        assert post(sec, unit, {"object": str(number), "version": "0", "reason": "r", **wrong}).status_code == 422, wrong
    assert post(sec, unit, {"object": str(number), "version": "0", **FULL, "reason": EVIL, "evidence": EVIL}).status_code == 302
    post(sec, f"{address}/crypto", {"kind": "crypto_risk", "subject": EVIL, "version": "0", "reason": EVIL})
    for path in (f"{address}/crypto", unit):
        assert "<script>alert" not in sec.get(path).text, path
    for path in (
        f"{address}/crypto/6.9.9",
        f"{address}/crypto/8.1.4.1.a",
        "/compliance/999/crypto",
        "/compliance/999/crypto/6.1.1",
    ):
        assert sec.get(path).status_code == 404, path
    small = made(sec, "二级系统", level="S2A2")
    assert sec.get(f"{small}/crypto").status_code == 422
    water = browser_of(app, "shui.wu")
    assert water.get(f"{address}/crypto").status_code == 404
    assert water.get(unit).status_code == 404


def test_chinese(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "中文密评")
    browser = browser_of(app, ADMINISTRATORS["secadmin"][0], lang="zh")
    page = browser.get(f"{address}/crypto").text + browser.get(f"{address}/crypto/6.2.1").text
    for word in ("网络和通信", "密码应用", "待确认", "密钥管理安全", "以标准原文为准"):
        assert word in page, word
