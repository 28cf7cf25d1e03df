"""Documents as their readers open them: PDF read back by pypdf, DOCX by python-docx and as XML."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import docx as office
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from operations.documents import Bar, Bars, Block, Bullets, Document, Facts, Heading, Paragraph, Table, docx, pdf
from operations.documents.model import MAX_CELLS, printable
from operations.errors import Invalid

HOSTILE = '#import "/etc/passwd" $x$ *b* [a] <script>alert(1)</script> {{7*7}} & \\ ]]> `code` @ref'

REPORT = Document(
    title="网络安全预警通报",
    subtitle="〔2026〕第 3 号",
    issuer="智慧城市安全运营中心",
    issued="2026-11-26 12:00",
    marking="演练",
    blocks=(
        Heading("一、概述"),
        Paragraph(f"第一行\n{HOSTILE}"),
        Facts((("级别", "橙色"), ("SM3", "a3f5" * 16))),
        Heading("影响", 2),
        Table(("系统", "说明"), (("政务云", HOSTILE),), (1, 3)),
        Bullets(("隔离", "升级"), numbered=True),
    ),
)


def pdf_text(document: Document) -> str:
    """Without the white space and the places to break at, which are a matter of layout."""
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf(document))).pages)
    return re.sub(r"[\s\u200b]", "", text)


def docx_text(document: Document) -> str:
    body = office.Document(BytesIO(docx(document)))
    parts = [paragraph.text for paragraph in body.paragraphs]
    parts += [cell.text for table in body.tables for row in table.rows for cell in row.cells]
    return "\n".join(parts)


def test_pdf_says_what_the_document_says_and_markup_stays_text() -> None:
    text = pdf_text(REPORT)
    for part in (
        "网络安全预警通报",
        "〔2026〕第3号",
        "演练",
        "一、概述",
        "橙色",
        "a3f5" * 16,
        "隔离",
        "第1页，共1页",
        "智慧城市安全运营中心",
    ):
        assert part in text
    assert text.count(re.sub(r"\s", "", HOSTILE)) == 2


def test_pdf_has_its_fonts_inside_and_a_title() -> None:
    reader = PdfReader(BytesIO(pdf(REPORT)))
    assert reader.metadata is not None
    assert reader.metadata.title == REPORT.title
    fonts = reader.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    for font in fonts.values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert "/FontFile3" in descriptor or "/FontFile2" in descriptor


def test_docx_says_what_the_document_says_and_markup_stays_text() -> None:
    text = docx_text(REPORT)
    for part in ("网络安全预警通报", "〔2026〕第 3 号", "一、概述", "橙色", "a3f5" * 16, "隔离"):
        assert part in text
    assert text.count(HOSTILE) == 2
    made = office.Document(BytesIO(docx(REPORT)))
    assert made.sections[0].header.paragraphs[0].text == "演练"
    assert made.core_properties.title == REPORT.title


def test_the_head_of_a_long_table_is_on_every_page() -> None:
    long = Document("长表", (Table(("序号", "名称"), tuple((str(row), "系统") for row in range(300))),))
    pages = PdfReader(BytesIO(pdf(long))).pages
    assert len(pages) > 5
    assert all("序号" in page.extract_text() for page in pages)


def test_docx_tables_have_their_widths_in_every_word_processor() -> None:
    """LibreOffice takes those of the grid and wraps the bars of a chart where there are none; Word takes those of the cells."""
    chart = Bars((("符合", "green"),), (Bar("安全区域边界", (3,), "3 / 3"),))
    made = zipfile.ZipFile(BytesIO(docx(msgspec.structs.replace(REPORT, blocks=(*REPORT.blocks, chart)))))
    body = etree.fromstring(made.read("word/document.xml"))
    name = body.nsmap["w"].join("{}")
    for table, shares in zip(body.iter(f"{name}tbl"), ((1, 3), (1, 3), (28, 58, 14)), strict=True):
        grid = [int(one.get(f"{name}w")) for one in table.iter(f"{name}gridCol")]
        assert grid == pytest.approx([sum(grid) * share / sum(shares) for share in shares], abs=2)
        assert sum(grid) == pytest.approx(16.4 / 2.54 * 1440, abs=4)
        cells = [int(one.get(f"{name}w")) for one in table.find(f"{name}tr").iter(f"{name}tcW")]
        assert cells == grid
        order = [etree.QName(one).localname for one in table.find(f"{name}tblPr")]
        assert order.index("tblCellMar") < order.index("tblLook"), "the order is prescribed"
    languages = etree.fromstring(made.read("word/styles.xml")).iter(f"{name}lang")
    assert {one.get(f"{name}eastAsia") for one in languages} == {"zh-CN"}


def test_english_documents_have_an_english_foot() -> None:
    assert "page1of1" in pdf_text(Document("Weekly report", (Paragraph("All is well."),), language="en"))


_texts = st.text(st.characters(codec="utf-8"), max_size=60)
_blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, _texts, st.integers(-3, 9)),
    st.builds(Paragraph, _texts),
    st.builds(Bullets, st.lists(_texts, max_size=4).map(tuple), st.booleans()),
    st.lists(st.tuples(_texts, _texts), max_size=4).map(lambda rows: Facts(tuple(rows))),
    st.lists(st.tuples(_texts, _texts, _texts), max_size=4).map(lambda rows: Table(("a", "b", "c"), tuple(rows))),
)


@settings(max_examples=60, deadline=None)
@given(title=_texts, blocks=st.lists(_blocks, max_size=6).map(tuple))
def test_any_text_makes_a_sound_file(title: str, blocks: tuple[Block, ...]) -> None:
    document = Document(title, blocks, subtitle=title, issuer=title, marking=title, language="en")
    assert len(PdfReader(BytesIO(pdf(document))).pages) >= 1
    with zipfile.ZipFile(BytesIO(docx(document))) as package:
        etree.fromstring(package.read("word/document.xml"))


@given(st.text())
def test_printable_keeps_all_but_controls(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", printable(text))


def test_a_table_that_is_not_rectangular_is_refused() -> None:
    for make in (pdf, docx):
        with pytest.raises(Invalid, match="block 1"):
            make(Document("x", (Table(("a", "b"), (("1",),)),)))
        with pytest.raises(Invalid, match="block 1"):
            make(Document("x", (Table(("a", "b"), (), (1,)),)))


def test_a_chart_is_drawn_in_both_and_a_crooked_one_is_refused() -> None:
    legend = (("符合", "green"), ("不符合", "red"), ("未测评", "pale"))
    document = Document("x", (Bars(legend, (Bar(HOSTILE, (3, 1, 0), "3 / 4"), Bar("空", (0, 0, 0)))),))
    assert "3 / 4" in PdfReader(BytesIO(pdf(document))).pages[0].extract_text()
    rows = office.Document(BytesIO(docx(document))).tables[0].rows
    assert [(row.cells[0].text, len(row.cells[1].text)) for row in rows] == [(HOSTILE, 30), ("空", 0)]
    for wrong in (Bars(legend, (Bar("a", (1, 2)),)), Bars(legend, (Bar("a", (1, 2, -1)),)), Bars((("a", "pink"),), ())):
        for make in (pdf, docx):
            with pytest.raises(Invalid, match="block 1"):
                make(Document("x", (wrong,)))


def test_a_document_beyond_all_measure_is_refused() -> None:
    with pytest.raises(Invalid, match="table cells"):
        pdf(Document("x", (Table(("a",), (("1",),) * (MAX_CELLS + 1)),)))
