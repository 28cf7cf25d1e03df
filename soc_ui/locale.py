"""Language of a page: Chinese first, English by a switch. Catalogues are gettext files under ``translations/``.

A page asks for some thousand texts, so what a catalogue says is looked up once a process and kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context
from markupsafe import Markup

from soc_ui import preferences

CATALOGUE = {"zh": "zh_Hans_CN", "en": "en"}
"""Language → name of its catalogue; message ids are English, so ``en`` has none."""
_FOLDER = Path(__file__).parent / "translations"


class _Speech:
    """One language: its catalogue, and what it has said."""

    def __init__(self, name: str, catalogue: NullTranslations) -> None:
        self.name = name
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


_spoken: ContextVar[_Speech | None] = ContextVar("spoken", default=None)
"""The language while a request is answered; asked for some thousand times a page."""


def _(text: str, /, **values: Any) -> str:
    """``text`` in the language of the request, ``%(name)s`` filled in."""
    said = _speech().say(text)
    return said % values if values else said


def ngettext(one: str, many: str, number: int) -> str:
    """The form for ``number``; ``%(num)d`` is the number."""
    said: str = _speech().catalogue.ungettext(one, many, number)
    return said % {"num": number}


def language() -> str:
    """Name of the catalogue in use: for what is kept for each language."""
    return _speech().name


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Within, ``zh`` or ``en`` whatever the visitor has chosen."""
    before = _spoken.set(_speech_of(CATALOGUE[lang]))
    try:
        yield
    finally:
        _spoken.reset(before)


def install(app: Flask) -> None:
    """Gives templates ``_()``, ``gettext()`` and ``ngettext()`` in the language of the request."""
    app.before_request(_begin)
    app.teardown_request(_end)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(_=_shown, gettext=_shown)


def _shown(text: str, /, **values: Any) -> Markup:
    speech = _speech()
    return Markup(speech.say(text)) % values if values else speech.show(text)  # noqa: S704  # Markup escapes the values


def _speech() -> _Speech:
    return _spoken.get() or _speech_asked_for()


def _speech_asked_for() -> _Speech:
    """The visitor's language; English where nobody asks."""
    return _speech_of(CATALOGUE[preferences.current().lang] if has_request_context() else CATALOGUE["en"])


def _begin() -> None:
    _spoken.set(_speech_asked_for())


def _end(_error: BaseException | None) -> None:
    _spoken.set(None)


@cache
def _speech_of(name: str) -> _Speech:
    return _Speech(name, Translations.load(_FOLDER, [name]))
