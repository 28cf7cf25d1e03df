"""The columns of the check-list, and the mark by which a row is known to be untouched."""

from __future__ import annotations

from collections.abc import Mapping

from crypto.sm3 import sm3
from operations.documents.model import printable

FORMAT = "liandun-checklist-1"
INFO = "liandun"
"""The sheet that says whose check-list it is."""
MOST_ROWS = 100_000

COLUMNS: Mapping[str, tuple[str, str, int]] = {
    "item": ("条款", "Clause", 12),
    "security_class": ("安全类", "Class", 16),
    "point": ("控制点", "Control point", 18),
    "requirement": ("要求（平台复述）", "Requirement (our words)", 46),
    "unit": ("测评单元", "Assessment unit", 14),
    "object": ("对象编号", "Object number", 8),
    "kind": ("对象类别", "Kind of object", 14),
    "name": ("测评对象", "Object", 20),
    "verdict": ("判定", "Verdict", 10),
    "reason": ("依据", "Reason", 44),
    "evidence": ("证据编号", "Evidence", 20),
    "by": ("判定来源", "Said by", 18),
    "at": ("判定时间", "At", 18),
    "version": ("版本", "Version", 6),
    "mark": ("校验", "Mark", 18),
}
"""Key → head in Chinese and English, width. The verdict, the reason and the evidence are to be filled in."""
FILLED_IN = ("verdict", "reason", "evidence")
NEEDED = ("item", "object", *FILLED_IN, "version", "mark")


def plain(text: str) -> str:
    """As a cell can hold it and gives it back."""
    return printable(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def mark(item: str, object_id: int, verdict: str, reason: str, evidence: str, version: int) -> str:
    """Of what was exported: where it still fits, nobody has touched the row."""
    told = "\x1f".join((item, str(object_id), verdict, plain(reason), plain(evidence), str(version)))
    return sm3(told.encode()).hex()[:16]
