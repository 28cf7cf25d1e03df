"""Links to the page of a device. A key may be any text, so one that a browser would not send as it is travels as a parameter."""

from __future__ import annotations

import re

from flask import Flask, url_for

_PLAIN = re.compile(r"[\w.:@-][\w.:@ ()+,=-]*")

_PAGES = frozenset({"new", "bulk", "register"})


def asset_url(key: str, **args: str) -> str:
    """``/assets/<key>``, or ``/asset?key=…`` for a key with slashes, dots alone and the like."""
    if _PLAIN.fullmatch(key) and key.strip(".") and key == key.strip() and key not in _PAGES:
        return url_for("inventory.one", key=key, **args)
    return url_for("inventory.by_parameter", key=key, **args)


def install(app: Flask) -> None:
    """Gives templates ``asset_url()``."""
    app.jinja_env.globals["asset_url"] = asset_url
