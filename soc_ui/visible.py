"""Signs that a browser obeys instead of showing them, made visible: who writes into a log must not decide how its lines look.

Right-to-left controls turn ``gpj.exe`` into ``exe.jpg`` (CVE-2021-42574, Unicode TR 36), a zero-width space makes two hosts of one
name, an escape sequence hides what stands before it. Everything that a template puts out goes through :func:`shown`; what is sent
back by a form or copied takes the filter ``exact``. The sheet isolates values (``unicode-bidi``), so that letters which are written
from right to left do not move what stands beside them.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

# Unicode 15 general categories Cc (but tab and newline), Cf, Cs, Zl and Zp.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """``text`` with a control picture (``␛``) or the code point (``⟨U+202E⟩``) for every sign that is obeyed, not shown."""
    if text.isprintable():
        return text
    return _OBEYED.sub(_picture, text.replace("\r\n", "\n"))


def shown(value: Any) -> Any:
    """What a template puts out for a value; markup is made of such values already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def exact(value: Any) -> Markup:
    """A value as it is, for what a person copies or a form sends back."""
    return escape(value)


def install(app: Flask) -> None:
    """Puts every output of a template through :func:`shown` and gives templates the filter ``exact``."""
    app.jinja_env.finalize = shown
    app.jinja_env.filters["exact"] = exact


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\u2421" if code == 0x7F else chr(0x2400 + code) if code < 0x20 else f"\u27e8U+{code:04X}\u27e9"
