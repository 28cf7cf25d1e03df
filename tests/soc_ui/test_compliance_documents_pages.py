"""Management documents in the console: editions with their way into force, readers, files, overdue reviews, foreign eyes."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from compliance.documents.media import MOST_BYTES
from compliance.documents.models import EditionRow
from operations.audit.models import AuditEntry
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import fill
from tests.soc_ui.seed_compliance import PDF, SEC, fill_documents
from tests.soc_ui.seed_desk import WATER, fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'
LIST = "/compliance/documents"
LATER = (date.today() + timedelta(days=300)).isoformat()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("documents"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture(scope="module")
def numbers(filled: Services) -> dict[str, int]:
    return fill_documents(filled)


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, SEC)


def upload(browser: FlaskClient, address: str, content: bytes, name: str = "制度.pdf", **more: str) -> int:
    told = {"label": "V1", "version": "1", **more}
    return int(post(browser, f"{address}/editions", {"file": (BytesIO(content), name), **told}).status_code)


def test_the_list(sec: FlaskClient, numbers: dict[str, int]) -> None:
    page = sec.get(LIST).text
    for words in ("网络安全管理制度", "2026-10-01", "The review of 1 document is overdue", "ling.dao", "no edition yet", "Draft"):
        assert words in page, words
    for query, wanted in (
        ("kind=policy", {"policy"}),
        ("review=overdue", {"policy"}),
        ("force=no", {"procedure", "record"}),
        ("item=8.1.4.1.a", {"procedure"}),
        ("q=登记表", {"record"}),
        (f"organisation={WATER}", {"policy", "procedure", "record"}),
        ("review=soon&force=no", set()),
    ):
        text = sec.get(f"{LIST}?{query}").text
        assert {kind for kind, number in numbers.items() if f'data-id="{number}"' in text} == wanted, query
    assert "<script>alert" not in sec.get(f"{LIST}?q={EVIL}&organisation={EVIL}&item={EVIL}&review={EVIL}").text


def test_from_a_form_into_force(sec: FlaskClient, app: APIFlask, filled: Services) -> None:
    wanted = {"kind": "policy", "title": f"备份制度 {EVIL}", "owner": "shui.wu", "organisation": WATER, "items": "8.1.10.11.a"}
    refused = post(sec, f"{LIST}/new", {**wanted, "items": "8.1.99"})
    assert (refused.status_code, "8.1.99" in refused.text) == (422, True)
    address = post(sec, f"{LIST}/new", wanted).headers["Location"].partition("?")[0]
    assert "<script>alert" not in sec.get(address).text
    assert upload(sec, address, b"MZ\x90\x00") == 422
    assert upload(sec, address, PDF, "../../etc/passwd") == 422
    assert upload(sec, address, b"") == 422
    assert upload(sec, address, PDF, version="9") == 409
    assert upload(sec, address, PDF) == 302
    one = f"{address}/editions/1"
    assert post(sec, f"{one}/approval", {"version": "2"}).status_code == 403
    leader = browser_of(app, "ling.dao")
    assert post(leader, f"{one}/acts", {"act": "enforce", "version": "2"}).status_code == 403
    assert post(leader, f"{one}/approval", {"version": "2"}).status_code == 302
    assert post(sec, f"{one}/acts", {"act": "approve", "version": "3"}).status_code == 422
    assert post(sec, f"{one}/acts", {"act": "enforce", "review_on": "2020-01-01", "version": "3"}).status_code == 422
    assert post(sec, f"{one}/acts", {"act": "enforce", "review_on": LATER, "version": "3"}).status_code == 302
    water = browser_of(app, "shui.wu")
    assert "I have read it" in water.get(address).text
    assert post(water, f"{one}/readers", {}).status_code == 302
    page = water.get(address).text
    assert "I have read it" not in page
    assert "the seal holds" in page
    got = water.get(f"{one}/file")
    assert (got.data, got.headers["Content-Type"]) == (PDF, "application/pdf")
    assert "attachment" in got.headers["Content-Disposition"]
    with filled.database.read() as session:
        opened = session.query(AuditEntry).where(AuditEntry.action == "document.open").order_by(AuditEntry.id.desc()).first()
        assert opened is not None
        assert opened.actor == "shui.wu"
    edited = {**wanted, "title": "备份与恢复制度", "version": "4"}
    assert post(sec, f"{address}/edit", edited).status_code == 302
    assert post(sec, f"{address}/edit", edited).status_code == 409
    assert post(sec, f"{one}/acts", {"act": "withdraw", "note": "废止", "version": "5"}).status_code == 302
    assert post(water, f"{one}/readers", {}).status_code == 409


def test_twenty_mebibytes_and_not_more(sec: FlaskClient, numbers: dict[str, int], anonymous: FlaskClient) -> None:
    address, large = f"{LIST}/{numbers['record']}", PDF + b"x" * (MOST_BYTES - len(PDF))
    assert upload(sec, address, large + b"x") == 422
    assert upload(sec, address, large + b"x" * 200_000) == 413
    assert upload(sec, address, large) == 302
    nobody = anonymous.post(f"{address}/editions", data={"file": (BytesIO(large), "a.pdf")})
    assert nobody.status_code == 302
    assert nobody.location.startswith("/login")
    headers = {"X-CSRFToken": token_of(sec, "/account")}
    other = sec.post(f"{LIST}/{numbers['record']}/edit", data={"title": "x" * (5 << 20)}, headers=headers)
    assert other.status_code == 413, "elsewhere it is as little as before"


def test_a_damaged_seal_is_told(sec: FlaskClient, filled: Services, numbers: dict[str, int]) -> None:
    with filled.database.write() as session:
        row = session.query(EditionRow).where(EditionRow.document_id == numbers["procedure"]).one()
        kept = row.package
        row.package = kept[:-20] + b"\0" * 20
    address = f"{LIST}/{numbers['procedure']}"
    assert "the seal does not hold" in sec.get(f"{address}?seal=1").text
    assert sec.get(f"{address}/editions/1/file").status_code == 409
    with filled.database.write() as session:
        session.query(EditionRow).where(EditionRow.document_id == numbers["procedure"]).one().package = kept
    assert "the seal holds" in sec.get(f"{address}?seal=1").text


def test_who_sees_what(app: APIFlask, numbers: dict[str, int]) -> None:
    stranger = browser_of(app, "jiao.tong")
    assert "网络安全管理制度" not in stranger.get(LIST).text
    one = f"{LIST}/{numbers['policy']}"
    for path in (one, f"{one}/editions/1/file"):
        assert stranger.get(path).status_code == 404, path
    assert post(stranger, f"{one}/editions/1/readers", {}).status_code == 404
    chinese = browser_of(app, SEC, lang="zh")
    page = chinese.get(one).text + chinese.get(LIST).text
    for words in ("管理制度", "封存完好", "评审日期已过", "现行版本阅知情况", "有 1 份文档评审逾期"):
        assert words in page, words
