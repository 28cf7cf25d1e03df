"""Language of a page: Chinese first, English by a switch. Catalogues are gettext files under ``translations/``.

A page asks for some thousand texts, so what a catalogue says is looked up once a process and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context
from markupsafe import Markup

from soc_ui import preferences

CATALOGUE = {"zh": "zh_Hans_CN", "en": "en"}
"""Language → name of its catalogue; message ids are English, so ``en`` has none."""
_FOLDER = Path(__file__).parent / "translations"


class _Speech:
    """One language: its catalogue, and what it has said."""

    def __init__(self, catalogue: NullTranslations) -> None:
        self.catalogue = catalogue
        self._said: dict[str, str] = {}
        self._shown: dict[str, Markup] = {}

    def say(self, text: str) -> str:
        """Only texts of the code and the templates come here, so what is kept is bounded."""
        found = self._said.get(text)
        if found is None:
            found = self._said[text] = self.catalogue.ugettext(text)
        return found

    def show(self, text: str) -> Markup:
        """For a template: the text is ours and may hold marks; ``%%`` becomes ``%``."""
        found = self._shown.get(text)
        if found is None:
            found = self._shown[text] = Markup(self.say(text)) % {}  # noqa: S704  # a text of the code, not of a visitor
        return found


def _(text: str, /, **values: Any) -> str:
    """``text`` in the language of the request, ``%(name)s`` filled in."""
    said = _speech().say(text)
    return said % values if values else said


def ngettext(one: str, many: str, number: int) -> str:
    """The form for ``number``; ``%(num)d`` is the number."""
    said: str = _speech().catalogue.ungettext(one, many, number)
    return said % {"num": number}


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Within, ``zh`` or ``en`` whatever the visitor has chosen."""
    before, g.speech = g.get("speech"), _speech_of(CATALOGUE[lang])
    try:
        yield
    finally:
        g.speech = before


def install(app: Flask) -> None:
    """Gives templates ``_()``, ``gettext()`` and ``ngettext()`` in the language of the request."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(_=_shown, gettext=_shown)


def _shown(text: str, /, **values: Any) -> Markup:
    speech = _speech()
    return Markup(speech.say(text)) % values if values else speech.show(text)  # noqa: S704  # Markup escapes the values


def _speech() -> _Speech:
    if not has_request_context():
        return _speech_of(CATALOGUE["en"])
    found: _Speech | None = g.get("speech")
    if found is None:
        found = g.speech = _speech_of(CATALOGUE[preferences.current().lang])
    return found


@cache
def _speech_of(name: str) -> _Speech:
    return _Speech(Translations.load(_FOLDER, [name]))
