"""Secrets that stand in texts of a host where they do not belong (profiles, proxies): taken out before anybody reads them."""

from __future__ import annotations

import re

_SET = re.compile(
    r"(?i)\b([\w.-]*(?:passw(?:or)?d|pwd|secret|token|api_?key|access_?key)[\w.-]*[ \t]*=[ \t]*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;)]+)"
)
_IN_URL = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)[^/\s:@]{0,200}:[^/\s@]{1,200}@", re.IGNORECASE)


def hidden(text: str) -> str:
    """The same text; ``***`` stands for what was set."""
    return _IN_URL.sub(r"\1***@", _SET.sub(r"\1***", text))
