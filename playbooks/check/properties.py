"""Properties that must be there, and properties that nobody knows (a slip of the pen loses what was meant)."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from playbooks.check.report import Report
from playbooks.shapes import SHAPES, Found

_MACHINE = ("name", "address")
_MARKING = ("id", "created_by", "created")
_REQUIRED: dict[str, tuple[str, ...]] = {
    "playbook": ("id", "name", "created_by", "created", "modified", "workflow_start", "workflow"),
    "action": ("commands", "agent"),
    "playbook-action": ("playbook_id",),
    "parallel": ("next_steps",),
    "if-condition": ("condition", "on_true"),
    "while-condition": ("condition", "on_true"),
    "switch-condition": ("switch", "cases"),
    "command": ("type",),
    "party": ("type", "name"),
    "party group": ("name",),
    "party individual": ("name",),
    "party organization": ("name",),
    "party location": ("name",),
    "party sector": ("name", "sector"),
    "party http-api": _MACHINE,
    "party linux": _MACHINE,
    "party net-address": _MACHINE,
    "party ssh": _MACHINE,
    "party security-category": ("name", "category"),
    "authentication": ("type",),
    "variable": ("type",),
    "external-reference": ("name",),
    "extension-definition": ("type", "name", "created_by", "schema", "version"),
    "marking": ("type", *_MARKING),
    "marking marking-tlp": (*_MARKING, "tlpv2_level"),
    "marking marking-statement": (*_MARKING, "statement"),
    "marking marking-iep": (*_MARKING, "name", "description", "tlp", "iep_version", "start_date", "end_date"),
    "signature": (
        "type",
        "id",
        "created",
        "modified",
        "signee",
        "related_to",
        "related_version",
        "hash_algorithm",
        "algorithm",
        "value",
    ),
}
_MAY_BE_EMPTY = frozenset({"playbook_processing_summary", "headers"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def check_properties(objects: Sequence[Found], report: Report) -> None:
    for found in objects:
        _missing(found, report)
        if found.known:
            _unknown(found, report)
        if found.shape == "variable":
            _number(found, report)


def _missing(found: Found, report: Report) -> None:
    for name in _REQUIRED.get(found.shape, ()):
        if found.raw.get(name) in _EMPTY:
            message = f"{name} is missing" if name not in found.raw else f"{name} is empty"
            report.lacking(_at(found, name), message, _HINTS.get(name, "add it"), found.step)
    for name, value in found.raw.items():
        if value in ([], {}) and name in SHAPES[found.shape] and not _may_be_empty(found.shape, name):
            report.doubtful(_at(found, name), f"{name} is empty", "leave the property out", found.step)


def _may_be_empty(shape: str, name: str) -> bool:
    """Dictionaries may be empty, and what is required has been told already."""
    required = _REQUIRED.get(shape, ())
    return name in required or name in _MAY_BE_EMPTY or name.endswith(("_variables", "_definitions", "_extensions"))


def _unknown(found: Found, report: Report) -> None:
    known = SHAPES[found.shape]
    for name in found.raw:
        if name not in known and not report.is_full:
            close = get_close_matches(name[:60], known, n=1)
            hint = f"{close[0]} is meant?" if close else "own properties belong into an extension"
            what = found.shape.replace(" ", " of the kind ")
            report.lacking(_at(found, name), f"there is no property {name[:60]!r} of a {what}", hint, found.step)


def _number(found: Found, report: Report) -> None:
    value = found.raw.get("value")
    if isinstance(value, bool | int | float):
        shown = str(value).lower()
        report.lacking(_at(found, "value"), "the value of a variable stands as text", f'write "{shown}"', found.step)


def _at(found: Found, name: str) -> str:
    return f"{found.path}.{name[:80]}" if found.path else name[:80]


_HINTS = {
    "agent": "name the agent that executes the commands",
    "commands": "an action does something: give it at least one command",
    "address": "say where it is: dname, ipv4, ipv6 or url",
    "on_true": "name the first step of the branch",
    "workflow_start": "name the start step",
    "next_steps": "name the first steps of at least two branches",
    "cases": "name the first step of each case",
    "created_by": "an identifier identity--UUID",
}
