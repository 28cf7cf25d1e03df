"""Papers: which parts they have, what is named in them, that texts stay texts, and that the board's fits one page."""

from __future__ import annotations

import io
from typing import Any

import docx as office
import msgspec
import pypdf
import pytest

from compliance.assessment.schema import CryptoDetail
from compliance.catalogue.load import requirements
from compliance.reports import words
from compliance.reports.crypto_words import CRYPTO_WORDS
from compliance.reports.material import Material, gather
from compliance.reports.paper_words import PAPER_WORDS
from compliance.reports.papers import PAPERS, paper
from compliance.systems import service
from operations.documents import docx, pdf
from operations.errors import Invalid
from tests.compliance.assessment.small_system import ROOM_DOOR, TWO_FACTORS, SmallSystem
from tests.compliance.reports.conftest import HOSTILE


def material_of(small: SmallSystem, template: str = "2025") -> Material:
    with small.database.read() as session:
        return gather(session, small.id, template)


def text_of(octets: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(octets)).pages).replace("\u200b", "")


def plain(material: Material, kind: str, language: str = "zh") -> str:
    return msgspec.json.encode(paper(material, kind, language, "兰亭市")).decode()


def assess_cryptography(small: SmallSystem) -> None:
    small.person("met", "6.2.1", small.host, crypto=CryptoDetail(True, True, True), reason="双向证书")
    small.person("partly", "6.2.1", small.other, crypto=CryptoDetail(True, False, True, bits=100), reason="3DES")
    small.person("not_applicable", "6.2.1", small.base, reason="不联网")
    small.person("not_met", "6.4.4", small.base, crypto=CryptoDetail(), reason="明文传输")
    small.person("not_met", "6.4.1", small.base, crypto=CryptoDetail(), reason="静态口令")
    made_up = CryptoDetail(made_up_unit="6.2.1", made_up_object=small.host)
    small.person("not_met", "6.1.1", small.room, crypto=made_up, reason="由专线弥补")
    small.person("met", "7.1.1", 0, reason="有制度")
    small.person("partly", "7.2.1", 0, reason="培训不全")
    small.decide("crypto_lowered", "6.4.1", "no", "口令之外另有验证码")
    small.decide("crypto_risk", "MD5 存口令", "found", "应用账户表")


ALL = [(kind, language) for kind, (_, languages) in PAPERS.items() for language in languages]


@pytest.mark.parametrize(("kind", "language"), ALL)
def test_every_word_is_there_and_both_files_open(
    small: SmallSystem, kind: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.decide("compensation", TWO_FACTORS, "0.5")
    small.decide("risk", ROOM_DOOR, "medium", object_id=small.room)
    small.decide("hazard", "A-27", "fixed")
    assess_cryptography(small)
    asked = set()
    found = words.Words.__call__
    monkeypatch.setattr(words.Words, "__call__", lambda self, key: (asked.add(key), found(self, key))[1])
    for template in ("2021", "2025"):
        material = material_of(small, template)
        made = paper(material, kind, language, "兰亭市")
        assert text_of(pdf(made))
        assert office.Document(io.BytesIO(docx(made))).paragraphs
    known = {
        *words._WORDS,
        *PAPER_WORDS,
        *CRYPTO_WORDS,
        "M = Vt + Vm; Vt = 100y − Σ f(w)(1 − x)S, Vm = 100(1 − y) − Σ f(w)(1 − x)S, S = 100/n",
    }
    known |= {"to_0.5"}  # a share is a number
    assert asked - known == set()


def test_the_self_assessment_names_template_formula_and_whose_word_it_is(small: SmallSystem) -> None:
    small.decide("compensation", TWO_FACTORS, "0.5", "堡垒机二次认证")
    told = plain(material_of(small), "self-assessment")
    for part in (
        "2025 版报告模板",
        "符合项数 ÷ 适用项数",
        "暂定",
        "堡垒机二次认证",
        "planner",
        "A-01",
        "没有邮件服务",
        "自查，非测评机构报告",
    ):
        assert part in told, part
    older = plain(material_of(small, "2021"), "self-assessment")
    assert "M = Vt + Vm" in older
    assert "待确认" in older
    assert "综合得分" in older
    with pytest.raises(Invalid, match="template"):
        material_of(small, "2019")


def test_what_somebody_wrote_stays_text(small: SmallSystem) -> None:
    made = paper(material_of(small), "gap", "zh", "x")
    flat = text_of(pdf(made)).replace("\n", "").replace(" ", "")
    assert "{{7*7}}" in flat
    assert "<script>alert(1)</script>" in flat
    opened: Any = office.Document(io.BytesIO(docx(made)))
    assert any(HOSTILE in cell.text for table in opened.tables for row in table.rows for cell in row.cells)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_summary_is_one_page_with_all_extensions_too(small: SmallSystem, language: str) -> None:
    with small.database.write() as session:
        draft = service.draft_of(service.get_system(session, small.id))
        wide = msgspec.structs.replace(draft, extensions=tuple(one.id for one in requirements().extensions))
        service.change_system(session, small.who, small.id, wide, expected_version=None)
    material = material_of(small)
    assert len(material.items) == 317
    assert len(pypdf.PdfReader(io.BytesIO(pdf(paper(material, "board", language, "兰亭市")))).pages) == 1


def test_the_plan_knows_owner_day_and_ticket(small: SmallSystem) -> None:
    small.probe("not_met")  # was met: a drift, with a ticket to the bureau of the system
    problem = next(one for one in material_of(small).problems if one.standing.item == "8.1.4.1.a")
    assert problem.remedy is not None
    assert not problem.planned
    assert problem.remedy.bureau == "水务局"
    told = plain(material_of(small), "remediation")
    assert f"#{problem.remedy.ticket} 待" in told
    assert "（拟）" in told
    assert "未建工单" in told


def test_an_empty_system_and_a_language_that_is_not_there(small: SmallSystem) -> None:
    with small.database.write() as session:
        draft = service.draft_of(service.get_system(session, small.id))
        number = service.create_system(session, small.who, msgspec.structs.replace(draft, name="空")).id
    with small.database.read() as session:
        empty = gather(session, number)
    for kind, language in ALL:
        assert pdf(paper(empty, kind, language, "x"))
    assert "尚无可计分的判定" in plain(empty, "board")
    with pytest.raises(Invalid, match="zh only"):
        paper(empty, "protection-plan", "en", "x")
    with pytest.raises(Invalid, match="language"):
        paper(empty, "gap", "fr", "x")


def test_the_cryptography_paper_has_the_total_by_hand_and_every_object(small: SmallSystem) -> None:
    assert "暂不能计分" in plain(material_of(small), "crypto")
    assess_cryptography(small)
    # 6.1: 6.1.1 is made up by 1 → 0.5. 6.2: 6.2.1 = (1 + 0.5·0.5) / 2 = 0.625. 6.4: 6.4.1 and 6.4.4 are 0.
    # technical: (10·0.5 + 20·0.625 + 30·0) / 60 = 0.29166…; management: 7.1.1 = 1 in 8 points, 7.2.1 = 0.5 in 8: 0.75
    found = material_of(small).crypto
    points = {one.layer.id: one.layer.points for one in found.units}
    by_hand = 70 * (points["6.1"] * 0.5 + points["6.2"] * 0.625) / (points["6.1"] + points["6.2"] + points["6.4"])
    by_hand += 30 * (points["7.1"] * 1 + points["7.2"] * 0.5) / (points["7.1"] + points["7.2"])
    told = plain(material_of(small), "crypto")
    assert found.outcome is not None
    assert found.outcome.value == f"{by_hand:.2f}"
    for part in (
        found.outcome.value,
        "0.6250",
        "√",
        "× (100)",
        "3DES",
        "← 6.1",
        "应用账户表",
        "已由人降级",
        "口令之外另有验证码",
        "不符合",
        "暂定",
    ):
        assert part.replace("← 6.1", "← 6.2.1") in told, part
    assert "单元得分为零" in told
    assert "a person says why not" in plain(material_of(small), "crypto", "en")
