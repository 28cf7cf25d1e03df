"""Findings in the console: the list with its filters, one finding and its acts, waivers by two people, progress."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from compliance.remediation import listing
from compliance.remediation.following import follow
from compliance.remediation.schema import FindingFilter
from operations.audit.models import AuditEntry
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_compliance import FACTORS, LOCKOUT, PASSWORDS, SEC, fill_findings, said
from tests.soc_ui.seed_desk import fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'
LIST = "/compliance/findings"


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("findings"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture(scope="module")
def system(filled: Services) -> tuple[int, int]:
    return fill_findings(filled)


@pytest.fixture(scope="module")
def numbers(filled: Services, system: tuple[int, int]) -> dict[str, int]:
    """Clause → number of its finding."""
    with filled.database.read() as session:
        return {one.item: one.id for one in listing.list_all(session, FindingFilter(system_id=system[0])).findings}


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, SEC)


def shown(browser: FlaskClient, query: str) -> set[str]:
    """Clauses in the table of the list."""
    return set(re.findall(r'class="rowlink" href="/compliance/findings/\d+">([^<]+)</a>', browser.get(f"{LIST}?{query}").text))


def version(browser: FlaskClient, address: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(address).text)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("numbers")
def test_the_list_is_filtered_and_sorted(sec: FlaskClient, system: tuple[int, int]) -> None:
    every = {PASSWORDS, LOCKOUT, FACTORS}
    one = f"system={system[0]}"
    assert shown(sec, one) == every
    for query, wanted in (
        ("state=assigned", {PASSWORDS}),
        ("state=open", {LOCKOUT, FACTORS}),
        ("state=closed", set()),
        ("class=8.1.4", every),
        ("class=8.1.3", set()),
        ("owner=水务局", {PASSWORDS}),
        ("owner=-", set()),
        ("assignee=shui.wu", {PASSWORDS}),
        ("due=month", {PASSWORDS}),
        ("due=none", {LOCKOUT, FACTORS}),
        ("due=overdue", set()),
        (f"item={LOCKOUT}", {LOCKOUT}),
    ):
        assert shown(sec, f"{one}&{query}") == wanted, query
    order = re.findall(r'data-id="(\d+)"', sec.get(f"{LIST}?{one}&sort=due").text)
    assert len(order) == 3
    assert sec.get(f"{LIST}?{one}&sort=due&cursor=x").status_code == 422
    assert sec.get(f"{LIST}?state={EVIL}&class={EVIL}&owner={EVIL}&item={EVIL}").text.count("<script>alert") == 0


def test_one_is_given_to_somebody_and_gets_another_day(sec: FlaskClient, numbers: dict[str, int]) -> None:
    address = f"{LIST}/{numbers[LOCKOUT]}"
    assert "Give it to somebody" in sec.get(address).text
    wanted = {"bureau": "水务局", "assignee": "shui.er", "due_at": day(10), "note": EVIL, "version": version(sec, address)}
    assert post(sec, f"{address}/assign", {**wanted, "due_at": "soon"}).status_code == 422
    assert post(sec, f"{address}/assign", wanted).status_code == 302
    assert post(sec, f"{address}/assign", wanted).status_code == 409
    page = sec.get(address).text
    assert "shui.er" in page
    assert "Given to somebody" in page
    assert "<script>alert" not in page
    later = {"due_at": day(20), "note": "采购延期", "version": version(sec, address)}
    assert post(sec, f"{address}/due", {**later, "due_at": day(-1)}).status_code == 422
    assert post(sec, f"{address}/due", later).status_code == 302
    assert "采购延期" in sec.get(address).text


def test_a_bureau_says_that_it_is_mended_and_the_next_verdict_decides(
    app: APIFlask, filled: Services, system: tuple[int, int], numbers: dict[str, int]
) -> None:
    water, address = browser_of(app, "shui.wu"), f"{LIST}/{numbers[PASSWORDS]}"
    assert post(water, f"{address}/assign", {}).status_code == 403
    asked = {"note": "已改为 12 位", "version": version(water, address)}
    assert post(water, f"{address}/retest", {**asked, "note": " "}).status_code == 422
    assert post(water, f"{address}/retest", asked).status_code == 302
    assert "To be re-tested" in water.get(address).text
    with filled.database.write() as session:
        assert not follow(session, system[0]), "it waits for the next look"
    said(filled, system[0], PASSWORDS, system[1], "partly")
    with filled.database.write() as session:
        assert follow(session, system[0]).reopened == (numbers[PASSWORDS],)
    page = water.get(address).text
    assert "Re-test failed" in page
    assert "已改为 12 位" in page
    again = {"note": "再次整改", "version": version(water, address)}
    assert post(water, f"{address}/retest", again).status_code == 302
    said(filled, system[0], PASSWORDS, system[1], "met")
    with filled.database.write() as session:
        assert follow(session, system[0]).closed == (numbers[PASSWORDS],)
    page = water.get(address).text
    assert "Closed" in page
    assert "Ask for a re-test" not in page


def test_a_waiver_by_two_people(app: APIFlask, filled: Services, sec: FlaskClient, numbers: dict[str, int]) -> None:
    leader, address = browser_of(app, "ling.dao"), f"{LIST}/{numbers[FACTORS]}"
    page = leader.get("/compliance/waivers").text
    assert "系统将于年底更换" in page
    found = re.search(r"/compliance/waivers/(\d+)/decision", page)
    assert found is not None
    waiver = f"/compliance/waivers/{found[1]}"
    assert "Somebody else than who asked decides." in sec.get(address).text
    assert post(sec, f"{waiver}/decision", {"approve": "1", "version": "1"}).status_code == 403
    assert post(leader, f"{waiver}/decision", {"approve": "0", "version": "1"}).status_code == 422
    assert post(leader, f"{waiver}/decision", {"approve": "1", "version": "1", "note": "同意"}).status_code == 302
    assert shown(sec, "state=waived") == {FACTORS}
    assert post(sec, f"{waiver}/end", {"note": "提前更换完成", "version": "2"}).status_code == 302
    assert shown(sec, "state=waived") == set()
    page = sec.get(address).text
    for words in ("Waiver approved", "同意", "Waiver ended", "提前更换完成"):
        assert words in page, words
    ask = {"reason": "r", "measure": EVIL, "expires_at": day(500)}
    refused = post(browser_of(app, "shui.wu"), f"{address}/waivers", ask)
    assert refused.status_code == 422
    assert "within a year" in refused.text
    assert "<script>alert" not in refused.text
    assert post(browser_of(app, "shui.wu"), f"{address}/waivers", {**ask, "expires_at": day(30)}).status_code == 302
    with filled.database.read() as session:
        acts = [row.action for row in session.query(AuditEntry).where(AuditEntry.object_type == "waiver").order_by(AuditEntry.id)]
    assert acts == ["waiver.ask", "waiver.approve", "waiver.end", "waiver.ask"]


def test_progress_as_a_table_and_for_the_chart(sec: FlaskClient, system: tuple[int, int]) -> None:
    page = sec.get(f"/compliance/{system[0]}/progress").text
    assert "Plan against done" in page
    told = sec.get(f"/compliance/{system[0]}/progress.json?months=6").get_json()
    assert len({len(series) for series in told.values()}) == 1
    assert len(told["months"]) >= 6
    assert max(told["open"][:6]) >= 2


def test_who_sees_what(app: APIFlask, sec: FlaskClient, system: tuple[int, int], numbers: dict[str, int]) -> None:
    stranger, audit = browser_of(app, "jiao.tong"), browser_of(app, ADMINISTRATORS["auditadmin"][0])
    assert shown(stranger, "") == set()
    for path in (f"{LIST}/{numbers[LOCKOUT]}", f"/compliance/{system[0]}/progress", f"{LIST}?system={system[0]}"):
        assert stranger.get(path).status_code == 404, path
    assert post(stranger, f"{LIST}/{numbers[LOCKOUT]}/waivers", {"reason": "r"}).status_code == 404
    assert audit.get(LIST).status_code == 403
    chinese = browser_of(app, SEC, lang="zh").get(f"{LIST}/{numbers[LOCKOUT]}").text
    for words in ("整改中", "申请复测", "申请豁免", "当前判定"):
        assert words in chinese, words
