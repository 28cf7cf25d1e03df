"""The bulletin (预警通报) as a document: the seven contents of GB/T 32924 clause 5, whom it is for, and until when to answer.

One document serves the page, the PDF and the DOCX. Until it is published it is marked as a draft and has no number.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
from operations import clock
from operations.documents.model import Block, Document, Facts, Heading, Paragraph
from operations.warnings import reading
from operations.warnings.schema import TEXTS, ReceiptRecord, WarningRecord
from operations.zones.service import list_zones

_WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "kind": "网络安全预警通报", "lifted": "网络安全预警解除通报", "draft": "草稿", "level": "预警级别", "number": "编号",
        "issued": "发布时间", "closed": "解除时间", "to": "接收单位", "zones": "涉及区域", "receipt": "签收时限",
        "feedback": "反馈时限",
        "nature": "事件性质",
        "threat": "威胁方式", "extent": "影响范围", "objects": "涉及对象", "effect": "影响程度",
        "measures": "防范对策", "importance": "对象重要程度", "harm": "可能损害程度", "none": "—", "reason": "解除说明",
        "blue": "蓝色（Ⅳ级）", "yellow": "黄色（Ⅲ级）", "orange": "橙色（Ⅱ级）", "red": "红色（Ⅰ级）",
        "importance.general": "一般", "importance.important": "重要", "importance.special": "特别重要",
        "harm.general": "一般", "harm.large": "较大", "harm.severe": "严重", "harm.extreme": "特别严重", "comma": "、",
    },
    "en": {
        "kind": "Cybersecurity warning", "lifted": "End of a cybersecurity warning", "draft": "DRAFT", "level": "Level",
        "number": "Number", "issued": "Published", "closed": "Lifted", "to": "Receivers", "zones": "Zones",
        "receipt": "Receipt until", "feedback": "Feedback until", "nature": "Nature",
        "threat": "Mode of threat", "extent": "Extent",
        "objects": "Objects concerned", "effect": "Degree of effect", "measures": "Countermeasures",
        "importance": "Importance of the object", "harm": "Possible harm", "none": "—", "reason": "Why it was lifted",
        "blue": "Blue (IV)", "yellow": "Yellow (III)", "orange": "Orange (II)", "red": "Red (I)",
        "importance.general": "general", "importance.important": "important", "importance.special": "specially important",
        "harm.general": "general", "harm.large": "large", "harm.severe": "severe", "harm.extreme": "extremely severe",
        "comma": ", ",
    },
}  # fmt: skip


def read(session: Session, warning_id: int, *, issuer: str, language: str = "zh") -> tuple[str, Document]:
    """Name of the file without its ending, and the document, of what this session may see of a warning. Raises NotFound."""
    detail = reading.detail(session, warning_id)
    record = detail.warning
    english = language == "en"
    names = {zone.zone.id: (zone.zone.name_en if english else "") or zone.zone.name for zone in list_zones(session)}
    reason = next((entry.note for entry in detail.history if entry.act == "lift"), "")
    made = bulletin(record, detail.receipts, names, issuer=issuer, language=language, reason=reason)
    numbered = f"{record.year}-{record.number:03d}-{record.edition}" if record.number else f"draft-{record.id}"
    return f"warning-{numbered}", made


def bulletin(
    record: WarningRecord,
    receipts: list[ReceiptRecord],
    zone_names: dict[str, str],
    *,
    issuer: str,
    language: str = "zh",
    reason: str = "",
) -> Document:
    """The document. ``receipts`` give the deadlines of the edition; ``reason`` is why it was lifted."""
    words = _WORDS["en" if language == "en" else "zh"]
    out = record.edition > 0
    current = [row for row in receipts if row.edition == record.edition]
    none = words["none"]
    facts = [
        (words["number"], record.label or none),
        (words["level"], words[record.level]),
        (words["importance"], words[f"importance.{record.importance}"]),
        (words["harm"], words[f"harm.{record.harm}"]),
        (words["issued"], _local(record.published_at) or none),
        (words["to"], words["comma"].join(record.organisations) or none),
        (words["zones"], words["comma"].join(zone_names.get(zone, zone) for zone in record.zones) or none),
    ]
    if record.status == "published" and current:
        facts += [
            (words["receipt"], _local(current[0].receipt_due)),
            (words["feedback"], _local(current[0].feedback_due)),
        ]
    blocks: list[Block] = [Facts(tuple(facts))]
    if record.status == "lifted":
        blocks.append(Facts(((words["closed"], _local(record.closed_at)), (words["reason"], reason or none))))
    for name in TEXTS:
        blocks += [Heading(words[name], 2), Paragraph(getattr(record, name) or none)]
    subtitle = "　".join(part for part in (words["lifted" if record.status == "lifted" else "kind"], record.label) if part)
    return Document(
        title=record.title,
        subtitle=subtitle,
        blocks=tuple(blocks),
        issuer=issuer,
        issued=_local(record.closed_at if record.status == "lifted" else record.published_at or record.updated_at),
        marking="" if out else words["draft"],
        language="en" if language == "en" else "zh",
    )


def _local(text: str | None) -> str:
    """Beijing time, as bulletins are dated."""
    if not text:
        return ""
    moment: datetime = clock.moment(text).astimezone(SHANGHAI)
    return f"{moment:%Y-%m-%d %H:%M}"
