"""The message that a page shows after an act on alerts."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit


def told(target: str, done: str, count: int = 0, batch: str = "") -> str:
    """``target`` with the message that the next page shall show (frame._notice); its fragment stays."""
    parts = urlsplit(target)
    pairs = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("done", "n", "batch")]
    pairs += [("done", done), ("n", str(count))] + ([("batch", batch)] if batch else [])
    return f"{parts.path}?{urlencode(pairs)}" + (f"#{parts.fragment}" if parts.fragment else "")
