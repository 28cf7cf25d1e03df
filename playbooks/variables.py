"""Variables while a playbook runs (CACAO 2.0, 10.18): where a name is seen, what may be written, and putting values into texts.

Scopes form a chain: the playbook's own variables, then those of each step that a branch lies in, then those of the step itself. A
name means the nearest declaration; writing reaches that one only, so a step that declares a global's name anew has a copy of its
own.

    scope = Scope(playbook.playbook_variables)
    inner = scope.within(step.step_variables)
    inner.assign("__count__", "3")          # VariableError: not declared, constant, or no integer
    substitute("block __ip__:value", inner)  # one pass: a value that looks like a reference is left as it is

Values are put in ONCE, from the left, on a copy: what a value holds is never looked at again, and the playbook is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from kernel.errors import LiandunError
from playbooks.model import Json, Playbook, Variable
from playbooks.references import Reference, references
from playbooks.values import typed

LONGEST_VALUE = 65_536
"""Letters of one value: values stand in the journal."""
_SHORT = 2_048
Value = str | Json | None


class VariableError(LiandunError):
    """A variable cannot be read or written as asked; the step that asked fails."""


class Scope(Mapping[str, Variable]):
    """The variables that one place sees, the nearest declaration first."""

    __slots__ = ("_outer", "_own")

    def __init__(self, own: Mapping[str, Variable], outer: Scope | None = None) -> None:
        self._own = dict(own)
        self._outer = outer

    def within(self, own: Mapping[str, Variable]) -> Scope:
        """The scope of something inside that declares ``own``; this one where it declares nothing."""
        return Scope(own, self) if own else self

    def __getitem__(self, name: str) -> Variable:
        place: Scope | None = self
        while place is not None:
            found = place._own.get(name)
            if found is not None:
                return found
            place = place._outer
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        place: Scope | None = self
        while place is not None:
            yield from (name for name in place._own if name not in seen)
            seen.update(place._own)
            place = place._outer

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def declares(self, name: str) -> bool:
        """Whether ``name`` is declared in this very scope."""
        return name in self._own

    def assign(self, name: str, value: Value) -> None:
        """Write ``value`` where ``name`` is declared nearest. Raises VariableError."""
        place: Scope | None = self
        while place is not None and name not in place._own:
            place = place._outer
        if place is None:
            raise VariableError(f"the variable {name} is not declared", "declare it in playbook_variables or step_variables")
        before = place._own[name]
        if before.constant:
            raise VariableError(f"the variable {name} is a constant", "it cannot be written")
        place._own[name] = msgspec.structs.replace(before, value=checked(name, before.type, value))

    def copied(self) -> Scope:
        """A copy of the whole chain with the values of now."""
        return Scope(self._own, self._outer.copied() if self._outer is not None else None)


def opening(playbook: Playbook, given: Mapping[str, Value]) -> Scope:
    """The global variables of ``playbook`` at its start. ``given`` are values of the caller; only ``external`` variables take them.

    Raises VariableError, which names the variable.
    """
    own = dict(playbook.playbook_variables)
    for name, value in given.items():
        declared = own.get(name)
        if declared is None:
            raise VariableError(f"the playbook has no variable {name}", f"it has {_listed(own)}")
        if not declared.external:
            raise VariableError(f"the variable {name} cannot be set from outside", "only variables with external: true can")
        own[name] = msgspec.structs.replace(declared, value=checked(name, declared.type, value))
    return Scope(own)


def checked(name: str, kind: str, value: Value) -> Value:
    """``value`` if a variable of type ``kind`` may hold it; None is always allowed. Raises VariableError."""
    if value is None:
        return None
    length = len(value) if isinstance(value, str) else len(msgspec.json.encode(value))
    if length > LONGEST_VALUE:
        raise VariableError(f"the value of {name} has {length:,} letters", f"at most {LONGEST_VALUE:,}")
    try:
        typed(kind, value)
    except ValueError as error:
        raise VariableError(f"the variable {name} is of type {kind}: {error}") from error
    return value


def substitute(
    text: str,
    scope: Mapping[str, Variable],
    readable: frozenset[str] | None = None,
    put: Callable[[str], str] | None = None,
    unknown: str = "",
) -> str:
    """``text`` with every ``__name__:value`` replaced by its value, in one pass.

    readable  names that may be read here (``in_args``); None = every name of ``scope``
    put       how a value is written where it goes (e.g. escaped for JSON); it may refuse with VariableError
    unknown   what stands for a value that is not known; "" = it is refused

    Raises VariableError where a name is not declared, not readable or its value is not known.
    """
    if ":value" not in text:
        return text
    parts, end = [], 0
    for found in _found(text) if len(text) <= _SHORT else references(text):
        value = _text_of(found.name, scope, readable, unknown)
        parts += [text[end : found.start], value if put is None else put(value)]
        end = found.end
    return "".join([*parts, text[end:]]) if parts else text


@lru_cache(maxsize=8192)
def _found(text: str) -> tuple[Reference, ...]:
    """Where a text of a playbook uses variables: the same texts come again in every run."""
    return tuple(references(text))


def in_words(
    text: str,
    scope: Mapping[str, Variable],
    readable: frozenset[str] | None = None,
    put: Callable[[str], str] | None = None,
) -> str:
    """``substitute`` for what people read: a value that is not known stands there as "(not known)", in Chinese beside Chinese.

    A person can do without it, or find it out; a machine cannot.
    """
    return substitute(text, scope, readable, put, _CHINESE if _HAN.search(text) else _ENGLISH)


_HAN = re.compile(r"[\u3400-\u9fff]")
_CHINESE, _ENGLISH = "（未知）", "(not known)"


def substitute_in(value: Any, scope: Mapping[str, Variable], readable: frozenset[str] | None = None) -> Any:
    """A copy of a JSON value with the texts in it substituted; names of properties stay. Raises VariableError."""
    if isinstance(value, str):
        return substitute(value, scope, readable)
    if isinstance(value, list):
        return [substitute_in(one, scope, readable) for one in value]
    if isinstance(value, dict):
        return {name: substitute_in(one, scope, readable) for name, one in value.items()}
    return value


def for_json(value: str) -> str:
    """``value`` as it stands within a JSON string."""
    return msgspec.json.encode(value).decode()[1:-1]


def for_shell(value: str) -> str:
    """``value`` for the text of a script. Raises VariableError unless it is made of letters that mean nothing to any shell:

    quoting cannot be right without knowing whether the place is quoted already.
    """
    if not _HARMLESS.fullmatch(value) or value.count("%") > 1:  # two of them name a variable in the shell of Windows
        hint = "letters, digits and _ . , : / @ % + - only, not first a -, a single %"
        raise VariableError(f"the value {_short(value)} cannot stand in a script", hint)
    return value


_HARMLESS = re.compile(r"[A-Za-z0-9_.,:/@%+][A-Za-z0-9_.,:/@%+-]*", re.ASCII)


def _text_of(name: str, scope: Mapping[str, Variable], readable: frozenset[str] | None, unknown: str) -> str:
    variable = scope.get(name)
    if variable is None:
        raise VariableError(f"the variable {name} is not declared", "declare it in playbook_variables or step_variables")
    if readable is not None and name not in readable:
        raise VariableError(f"the variable {name} may not be read here", "name it in in_args")
    if variable.value is None and unknown:
        return unknown
    if variable.value is None:
        raise VariableError(f"the value of {name} is not known", "give it a value, or set it in a step before")
    if isinstance(variable.value, dict):
        return msgspec.json.encode(variable.value).decode()
    return variable.value


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "…")


def _listed(names: Mapping[str, Variable]) -> str:
    external = sorted(name for name, variable in names.items() if variable.external)
    return ", ".join(external[:10]) if external else "none that can be set"
