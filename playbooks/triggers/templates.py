"""Texts with fields in braces: what a trigger puts into a variable.

    fill("{source.ip}", {"source.ip": "203.0.113.9"})        # 203.0.113.9
    fill("告警 {alert.id}: {alert.rule_name}", fields)

A field that is not there is empty. What stands in a field is put in once and never looked at again. ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operations.errors import Invalid

LONGEST = 2_000
_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_@][A-Za-z0-9_.@-]{0,127})\}|[{}]")


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """The text with the values of ``fields``. Raises Invalid."""

    def put(part: re.Match[str]) -> str:
        if part[1] is not None:
            return _text(fields.get(part[1]))
        return part[0][0]

    check_template(template)
    return _PART.sub(put, template)


def check_template(template: str) -> None:
    """Raises Invalid where a brace has no partner, or no name of a field between."""
    if len(template) > LONGEST:
        raise Invalid(f"a value has at most {LONGEST:,} characters")
    for part in _PART.finditer(template):
        if part[0] in ("{", "}"):
            raise Invalid(f"the brace at character {part.start() + 1} stands alone", "write {source.ip}, or {{ for a brace")


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
