"""The data beside this file: classes and levels of GB/T 20986-2023, deadlines, what tags speak for, task templates."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from operations.errors import Invalid


class IncidentClass(msgspec.Struct, frozen=True):
    """A class (two digits) or sub-class (four digits), named in Chinese and English."""

    code: str
    zh: str
    en: str

    @property
    def parent(self) -> str:
        """Code of the class above, its own for a class."""
        return self.code[:2]


@cache
def data(name: str) -> dict[str, Any]:
    """One data file, read once."""
    text = resources.files(__package__).joinpath("data", f"{name}.yaml").read_text("utf-8")
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


@cache
def classes() -> dict[str, IncidentClass]:
    """All classes and sub-classes by code, in the order of the standard."""
    return {one["code"]: IncidentClass(one["code"], one["zh"], one["en"]) for one in data("classification")["classes"]}


def subclasses() -> list[IncidentClass]:
    """Those that an incident may have."""
    return [one for one in classes().values() if len(one.code) == 4]


def check_class(code: str) -> str:
    """The code of a sub-class. Raises Invalid."""
    if code not in classes() or len(code) != 4:
        raise Invalid(f"there is no incident class {code[:8]!r}", "see /api/v1/incidents/classification", field="class_code")
    return code


def level_name(level: int, language: str = "zh") -> str:
    """The name of a level, "" for 0."""
    return str(data("classification")["levels"][level][language]) if level in (1, 2, 3, 4) else ""


def class_name(code: str, language: str = "zh") -> str:
    """Name of a class, its code where it is unknown."""
    found = classes().get(code)
    return code if found is None else found.zh if language == "zh" else found.en
