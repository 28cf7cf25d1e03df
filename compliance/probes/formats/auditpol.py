"""The audit policy of a Windows host as ``auditpol /get /category:* /r`` or ``auditpol /backup`` writes it: CSV.

Subcategories are known by GUID, the same on each Windows ([MS-GPAC] 2.2.1.2); their names and the words of settings follow the
language. ``/backup`` has the setting as a number, too.
"""

from __future__ import annotations

import csv
import re

import msgspec

from compliance.probes.facts import Facts, Unreadable

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}-69AE-11D9-BED3-505054503030)\}?\Z", re.IGNORECASE)
_WORDS = {
    "no auditing": 0, "not specified": 0, "success": 1, "failure": 2, "success and failure": 3,
    "无审核": 0, "不审核": 0, "未指定": 0, "成功": 1, "失败": 2, "成功和失败": 3, "成功与失败": 3,
}  # fmt: skip
_MOST = 1_000


class Setting(msgspec.Struct, frozen=True):
    """Which outcomes of a subcategory are recorded."""

    success: bool
    failure: bool


def audit(facts: Facts) -> dict[str, Setting]:
    """Settings by the first eight digits of the GUID, in capitals. Raises Unreadable."""
    found = settings(facts.text("audit"))
    if not found:
        raise Unreadable("audit names no subcategory", "审核策略未列出子类别")
    return found


def settings(text: str) -> dict[str, Setting]:
    """Of a whole file. Raises Unreadable for a setting in words of another language."""
    found: dict[str, Setting] = {}
    try:
        for number, row in enumerate(csv.reader(text.splitlines())):
            place = next((place for place, cell in enumerate(row) if _GUID.match(cell.strip())), None)
            if place is None or number > _MOST:
                continue
            guid = _GUID.match(row[place].strip())
            assert guid is not None
            value = _value(row[place + 1 :])
            found[guid[1][:8].upper()] = Setting(bool(value & 1), bool(value & 2))
    except csv.Error as error:
        raise Unreadable(f"audit is no CSV: {error}", f"审核策略不是 CSV：{error}") from error
    return found


def _value(cells: list[str]) -> int:
    last = cells[-1].strip() if cells else ""
    if len(cells) > 2 and last in ("0", "1", "2", "3", "4"):
        return int(last) & 3
    word = cells[0].strip().lower() if cells else ""
    if word not in _WORDS:
        raise Unreadable(
            f"audit has a setting in words that are not known: {word[:40]}", f"审核策略中有无法识别的设置：{word[:40]}"
        )
    return _WORDS[word]
