"""How values stand in a Sigma rule: each as the text that a field is compared with, and nothing else.

The rule is read as YAML with the names in it, values are put into single texts of its selections, and it is written again: no value
can become another key, another list or a part of the condition. Wildcards of a value mean themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from kernel.yaml_nesting import refuse_deep
from playbooks.model import Variable
from playbooks.references import names_within, references
from playbooks.variables import VariableError, substitute

MOST_OCTETS = 256_000
_MOST_NODES = 100_000
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBERS = frozenset({"lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"})
_NOT_VALUES = frozenset({"expand", "fieldref", "exists"})
_WORDS = ("title", "description")
"""Texts of a rule beside its selections that may hold values: people read them."""
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_WILD = re.compile(r"[\\*?]")
_SIGN = re.compile(r"[^0-9A-Za-z_\u0080-\U0010ffff]")


def filled(text: str, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> str:
    """The rules with their values. Raises VariableError."""
    if next(references(text), None) is None:
        return text
    found = documents(text)
    if place := misplaced(found):
        raise VariableError(f"a value cannot stand in {place} of a rule", "values stand in the texts of selections")
    writer = _Writer(scope, readable)
    return yaml.safe_dump_all([_document(one, writer) for one in found], allow_unicode=True, sort_keys=False, width=10_000)


def documents(text: str) -> list[Any]:
    """The documents of a rule file. Raises VariableError where it is no YAML, or too much of it."""
    if len(text.encode("utf-8", "replace")) > MOST_OCTETS:
        raise VariableError(f"the rules have more than {MOST_OCTETS:,} octets", "divide them")
    try:
        refuse_deep(text, _Loader)
        found = list(yaml.load_all(text, Loader=_Loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise VariableError(f"the rule is no YAML: {' '.join(str(error).split())[:200]}") from error
    waiting, count = list(found), 0
    while waiting:
        one = waiting.pop()
        count += 1
        if count > _MOST_NODES:  # aliases, each a copy of the other
            raise VariableError(f"the rule has more than {_MOST_NODES:,} values")
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return found


def misplaced(found: list[Any]) -> str:
    """A place of these documents in which a value cannot stand although a name does; "" for none."""
    for one in found:
        if not isinstance(one, dict):
            continue
        for key, inner in one.items():
            if key == "detection" and isinstance(inner, dict):
                if place := next((name for name, part in inner.items() if _wrong(str(name), part)), ""):
                    return str(place)
            elif names_within([str(key), inner]) and not (key in _WORDS and isinstance(inner, str)):
                return str(key)
    return ""


class _Writer:
    def __init__(self, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> None:
        self._scope, self._readable = scope, readable

    def text(self, template: str, modifiers: frozenset[str]) -> str | int:
        """A text of a selection with its values."""
        if not names_within(template):
            return template
        if refused := sorted(modifiers & _NOT_VALUES):
            raise VariableError(f"a value cannot stand behind the modifier {refused[0]}")
        if modifiers & _NUMBERS:
            number = substitute(template, self._scope, self._readable)
            if not _NUMBER.fullmatch(number):
                raise VariableError(f"{number[:60]!r} is no number to compare with")
            return int(number)
        put = _for_regex if "re" in modifiers else str if "cidr" in modifiers else _plain
        return substitute(template, self._scope, self._readable, lambda value: put(_there(value)))

    def words(self, template: str) -> str:
        """A text that people read."""
        return substitute(template, self._scope, self._readable)


def _document(one: Any, writer: _Writer) -> Any:
    if not isinstance(one, dict):
        return one
    done = dict(one)
    for key, inner in one.items():
        if key == "detection" and isinstance(inner, dict):
            done[key] = {
                name: part if name in ("condition", "timeframe") else _selection(part, writer, frozenset())
                for name, part in inner.items()
            }
        elif key in _WORDS and isinstance(inner, str):
            done[key] = writer.words(inner)
    return done


def _wrong(name: str, part: Any) -> bool:
    """Whether names stand in a part of a detection where no value can: its name, the condition, names of fields."""
    if names_within(name) or (name in ("condition", "timeframe") and names_within(part)):
        return True
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if names_within([str(key) for key in one]):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return False


def _selection(part: Any, writer: _Writer, modifiers: frozenset[str]) -> Any:
    if isinstance(part, str):
        return writer.text(part, modifiers)
    if isinstance(part, list):
        return [_selection(one, writer, modifiers) for one in part]
    if isinstance(part, dict):
        return {key: _selection(one, writer, frozenset(str(key).split("|")[1:])) for key, one in part.items()}
    return part


def _there(value: str) -> str:
    if not value.strip():
        raise VariableError("an empty value would be found everywhere", "give it a value")
    return value


def _plain(value: str) -> str:
    return _WILD.sub(lambda found: f"\\{found[0]}", value)


def _for_regex(value: str) -> str:
    return _SIGN.sub(lambda found: f"\\{found[0]}", value)
