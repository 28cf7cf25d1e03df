"""Icons and badges that stand on every page many times: made once for each language and value, then only looked up.

Templates have them as ``ui.icon``, ``ui.severity`` and so on (templates/ui.html). What they say depends on nothing but their
arguments and the language; values that are none of ours are escaped.
"""

from __future__ import annotations

from functools import lru_cache

from flask import Flask
from markupsafe import Markup

from soc_ui.assets import asset
from soc_ui.locale import _, language

_MOST = 4096
_ICON = Markup('<svg class="i{size}" aria-hidden="true"><use href="{sheet}#{name}"/></svg>')
_SHAPES = {"new": "bolt", "acknowledged": "eye", "in_progress": "activity", "closed": "check", "suppressed": "clock"}


def icon(name: str, size: str = "") -> Markup:
    """The icon ``name`` of icons.svg; ``size`` "s" is the small one."""
    return _icon(name, size, asset("icons.svg"))


@lru_cache(_MOST)
def _icon(name: str, size: str, sheet: str) -> Markup:
    return _ICON.format(size=" i-s" if size == "s" else "", sheet=sheet, name=name)


def severity(level: str, word: bool = True) -> Markup:
    """The level of an alert by colour and letter, with its word beside it or only for screen readers."""
    return _severity(language(), level, word)


@lru_cache(_MOST)
def _severity(lang: str, level: str, word: bool) -> Markup:
    letters = {
        "critical": _("level|C"), "high": _("level|H"), "medium": _("level|M"), "low": _("level|L"), "informational": _("level|I"),
    }  # fmt: skip
    known, name = level if level in letters else "informational", level_name(level)
    letter = letters.get(level, "?").replace("level|", "")
    if word:
        return Markup('<span class="sev sev-{}"><b aria-hidden="true">{}</b><span>{}</span></span>').format(known, letter, name)
    shape = '<span class="sev sev-{}" title="{}"><b aria-hidden="true">{}</b><span class="visually-hidden">{}</span></span>'
    return Markup(shape).format(known, name, letter, name)  # noqa: S704  # our own text; format escapes


def level_name(level: str) -> str:
    """The word of an alert's level."""
    return _level_name(language(), level)


@lru_cache(_MOST)
def _level_name(lang: str, level: str) -> str:
    names = {"critical": _("Critical"), "high": _("High"), "medium": _("Medium"), "low": _("Low"), "informational": _("Info")}
    return names.get(level, level)


def status(value: str, verdict: str | None = None) -> Markup:
    """The state of an alert; its verdict, if any, as a tip."""
    return _status(language(), value, verdict, asset("icons.svg"))


@lru_cache(_MOST)
def _status(lang: str, value: str, verdict: str | None, sheet: str) -> Markup:
    tip = Markup(' title="{}"').format(verdict_name(verdict)) if verdict else ""
    shape = _icon(_SHAPES.get(value, "info-circle"), "", sheet)
    return Markup('<span class="badge st-{}"{}>{}{}</span>').format(value, tip, shape, status_name(value))


def status_name(value: str) -> str:
    """The word of an alert's state."""
    return _status_name(language(), value)


@lru_cache(_MOST)
def _status_name(lang: str, value: str) -> str:
    names = {
        "new": _("New"), "acknowledged": _("Acknowledged"), "in_progress": _("In progress"), "closed": _("Closed"),
        "suppressed": _("Suppressed"),
    }  # fmt: skip
    return names.get(value, value)


def verdict_name(value: str) -> str:
    """The word of a verdict."""
    return _verdict_name(language(), value)


@lru_cache(_MOST)
def _verdict_name(lang: str, value: str) -> str:
    names = {"true_positive": _("True positive"), "false_positive": _("False positive"), "benign": _("Benign")}
    return names.get(value, value)


def engine_name(value: str) -> str:
    """The word of a detector."""
    return _engine_name(language(), value)


@lru_cache(_MOST)
def _engine_name(lang: str, value: str) -> str:
    names = {
        "sigma": "Sigma", "correlation": _("Correlation"), "suricata": "Suricata", "yara": "YARA", "zone": _("Zone"),
        "intel": _("Indicators"), "platform": _("Platform"), "search": _("Scheduled search"), "inbound": _("Inbound webhook"),
    }  # fmt: skip
    return names.get(value, value)


def install(app: Flask) -> None:
    """Gives templates ``badges``."""
    app.jinja_env.globals["badges"] = {
        "icon": icon,
        "severity": severity,
        "level_name": level_name,
        "status": status,
        "status_name": status_name,
        "verdict_name": verdict_name,
        "engine_name": engine_name,
    }
