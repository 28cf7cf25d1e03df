"""What a run was started for, as one text that lists find it by: ``alert:7``, ``asset:water-plc-1``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ABOUT = re.compile(r"(?:(?:alert|incident|warning):[1-9][0-9]{0,17}|asset:[^\0]{1,128})", re.ASCII)


def about(cause: Mapping[str, Any]) -> str | None:
    """The subject that ``cause`` names; None where it names none."""
    text = f"{cause.get('kind', '')}:{cause.get('id', '')}"
    return text if is_about(text) else None


def is_about(text: str) -> bool:
    """Whether ``text`` names a subject."""
    return _ABOUT.fullmatch(text) is not None
