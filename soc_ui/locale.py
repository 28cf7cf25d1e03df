"""Language of a page: Chinese first, English by a switch. Catalogues are gettext files under ``translations/``."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_babel import gettext as _gettext
from flask_babel import ngettext as _ngettext

from soc_ui import preferences

CATALOGUE = {"zh": "zh_Hans_CN", "en": "en"}


def _(text: str, /, **values: Any) -> str:
    """``text`` in the language of the request, ``%(name)s`` filled in."""
    return str(_gettext(text, **values))


def ngettext(one: str, many: str, number: int) -> str:
    """The form for ``number``; ``%(num)d`` is the number."""
    return str(_ngettext(one, many, number))


def language() -> str:
    """Babel's name of the language in force; message ids are English, so ``en`` needs no catalogue."""
    return CATALOGUE[preferences.current().lang]


def install(app: Flask) -> None:
    """Gives templates ``_()`` in the language of the request."""
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    Babel(app, default_locale="en", locale_selector=language)
