"""Forms of triggers: what a person typed as a definition, and a definition as what stands in the form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from playbooks.triggers.schema import Definition
from soc_ui.playbooks.forms import PREFIX

LISTS = ("rules", "datasets", "classes")
"""Conditions that are typed one a line."""
CHOICES = ("zones", "phases", "levels", "days")
"""Conditions that are ticked."""
WORDS = ("level", "per", "at")
NUMBERS = ("every_minutes", "source")
FIELDS: dict[str, tuple[str, ...]] = {
    "alert": ("rules", "level", "zones", "datasets", "entities", "per"),
    "incident": ("phases", "classes", "level", "zones", "drills"),
    "warning": ("levels", "zones"),
    "schedule": ("every_minutes", "at", "days"),
    "webhook": ("source", "level", "per"),
}
"""Of a condition, by the kind of its trigger."""
_TOO_MUCH = -1


def definition_from(form: MultiDict[str, str], kind: str, playbook_id: str) -> Definition:
    """The definition that a form asks for; whether it can be is for the service to say."""
    return Definition(
        name=form.get("name", ""),
        playbook_id=playbook_id,
        kind=kind,
        condition={name: value for name in FIELDS.get(kind, ()) if (value := _read(form, kind, name)) not in ("", [], None, False)},
        variables={name: text for name, text in _typed(form) if text},
        throttle_seconds=_number(form.get("throttle", "")) * 60,
        most_per_hour=_number(form.get("most_per_hour", "")),
    )


def filled(given: Definition) -> dict[str, Any]:
    """What stands in the form of a definition, by the names of its inputs."""
    condition = given.condition
    values: dict[str, Any] = {
        "name": given.name, "throttle": given.throttle_seconds // 60, "most_per_hour": given.most_per_hour,
        **{name: value for name, value in condition.items() if name not in (*LISTS, "entities")},
        **{name: "\n".join(condition.get(name, [])) for name in LISTS},
        "entities": "\n".join(f"{one['kind']}:{one['pattern']}" for one in condition.get("entities", [])),
    }  # fmt: skip
    return values | {PREFIX + name: text for name, text in given.variables.items()}


def retyped(form: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, for the form that is shown again."""
    return {name: form.getlist(name) if name in CHOICES else value for name, value in form.items()}


def _typed(form: MultiDict[str, str]) -> Iterable[tuple[str, str]]:
    return ((name.removeprefix(PREFIX), text.strip()) for name, text in form.items() if name.startswith(PREFIX))


def _read(form: MultiDict[str, str], kind: str, name: str) -> Any:
    if name in LISTS:
        return _lines(form.get(name, ""))
    if name in CHOICES:
        return form.getlist(name)
    if name == "entities":
        return [dict(zip(("kind", "pattern"), _halves(line), strict=True)) for line in _lines(form.get(name, ""))]
    if name == "drills":
        return bool(form.get(name))
    text = form.get(name, "").strip()
    is_number = name in NUMBERS or (name == "level" and kind == "incident")
    return _number(text) if is_number and text else text


def _halves(line: str) -> tuple[str, str]:
    kind, _colon, pattern = line.partition(":")
    return kind.strip(), pattern.strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _number(text: str) -> int:
    """_TOO_MUCH for what is no number, which every limit refuses."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else _TOO_MUCH
