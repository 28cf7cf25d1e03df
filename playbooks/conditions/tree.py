"""A condition that was read, and its answer for given values of the variables.

AND and OR go from left to right and stop where the answer is clear, so ``EXISTS __x__:value AND __x__:value = 'a'`` is safe for an
unknown ``__x__``. A comparison with an unknown (null) variable is an error, never false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

from playbooks.conditions.compare import check_literal, compared, refusal
from playbooks.conditions.errors import ConditionError
from playbooks.model import Variable

Variables = Mapping[str, Variable]


class Operand(msgspec.Struct, frozen=True):
    """A variable by its ``name``, or a literal ``text`` with name ""."""

    name: str
    text: str
    position: int

    def value(self, variables: Variables) -> str | dict[str, Any]:
        if not self.name:
            return self.text
        value = self.declared(variables).value
        if value is None:
            hint = f"ask EXISTS {self.name}:value before, or give it a value"
            raise ConditionError(f"the value of {self.name} is not known", hint, self.position)
        return value

    def declared(self, variables: Variables) -> Variable:
        if self.name not in variables:
            raise ConditionError(f"the variable {self.name} is not declared", "declare it", self.position)
        return variables[self.name]


class Node(Protocol):
    """A part of a condition."""

    def names(self) -> Iterator[str]: ...

    def comparisons(self) -> Iterator[Comparison | Exists]: ...

    def evaluate(self, variables: Variables) -> bool: ...

    def reads(self, known: frozenset[str]) -> frozenset[str]:
        """Variables that an answer may need beside those ``known`` to have a value."""
        ...

    def tells(self, answer: bool) -> frozenset[str]:
        """Variables that surely have a value where this ``answer`` was given."""
        ...


class Comparison(msgspec.Struct, frozen=True):
    """``left operator right``; only IN has more than one on the right."""

    left: Operand
    operator: str
    right: tuple[Operand, ...]
    position: int

    def names(self) -> Iterator[str]:
        return (one.name for one in (self.left, *self.right) if one.name)

    def comparisons(self) -> Iterator[Comparison | Exists]:
        yield self

    def kind(self, variables: Variables) -> str:
        """The type that decides: that of the variable, of the left one where there are two."""
        one = self.left if self.left.name else self.right[0]
        return one.declared(variables).type

    def check(self, variables: Variables) -> None:
        """Raise ConditionError where this can never be answered, whatever the values are."""
        kind = self.kind(variables)
        for operand in self.right:
            if operand.name:
                operand.declared(variables)
        if reason := refusal(self.operator, kind):
            raise ConditionError(reason, f"{self.operator} does not fit", self.position)
        for operand in (self.left, *self.right):
            if not operand.name:
                try:
                    check_literal(self.operator, kind, operand.text)
                except ValueError as error:
                    raise ConditionError(str(error), f"the variable is of type {kind}", operand.position) from error

    def evaluate(self, variables: Variables) -> bool:
        kind = self.kind(variables)
        if reason := refusal(self.operator, kind):
            raise ConditionError(reason, f"{self.operator} does not fit", self.position)
        left = self.left.value(variables)
        try:
            if self.operator == "IN":
                return any(compared("=", kind, left, one.value(variables)) for one in self.right)
            return compared(self.operator, kind, left, self.right[0].value(variables))
        except ValueError as error:
            raise ConditionError(str(error), f"the variable is of type {kind}", self.position) from error

    def reads(self, known: frozenset[str]) -> frozenset[str]:
        return frozenset(self.names()) - known

    def tells(self, answer: bool) -> frozenset[str]:
        return frozenset(self.names()) if self.operator != "IN" else frozenset(filter(None, [self.left.name]))


class Exists(msgspec.Struct, frozen=True):
    """Whether the value of a variable is known."""

    operand: Operand

    def names(self) -> Iterator[str]:
        yield self.operand.name

    def comparisons(self) -> Iterator[Comparison | Exists]:
        yield self

    def check(self, variables: Variables) -> None:
        self.operand.declared(variables)

    def evaluate(self, variables: Variables) -> bool:
        return self.operand.declared(variables).value is not None

    def reads(self, known: frozenset[str]) -> frozenset[str]:
        return frozenset()

    def tells(self, answer: bool) -> frozenset[str]:
        return frozenset([self.operand.name] if answer else [])


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    inner: Any

    def names(self) -> Iterator[str]:
        return self.inner.names()  # type: ignore[no-any-return]

    def comparisons(self) -> Iterator[Comparison | Exists]:
        return self.inner.comparisons()  # type: ignore[no-any-return]

    def evaluate(self, variables: Variables) -> bool:
        return not self.inner.evaluate(variables)

    def reads(self, known: frozenset[str]) -> frozenset[str]:
        return self.inner.reads(known)  # type: ignore[no-any-return]

    def tells(self, answer: bool) -> frozenset[str]:
        return self.inner.tells(not answer)  # type: ignore[no-any-return]


class Joined(msgspec.Struct, frozen=True):
    """All of the parts (AND), or one of them (OR)."""

    every: bool
    parts: tuple[Any, ...]

    def names(self) -> Iterator[str]:
        return (name for part in self.parts for name in part.names())

    def comparisons(self) -> Iterator[Comparison | Exists]:
        return (one for part in self.parts for one in part.comparisons())

    def evaluate(self, variables: Variables) -> bool:
        test = all if self.every else any
        return test(part.evaluate(variables) for part in self.parts)

    def reads(self, known: frozenset[str]) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for part in self.parts:  # one is asked only after all before it have answered ``every``
            found |= part.reads(known)
            known |= part.tells(self.every)
        return found

    def tells(self, answer: bool) -> frozenset[str]:
        if answer is self.every:  # each part has said so
            return frozenset().union(*(part.tells(answer) for part in self.parts))
        ways, before = [], frozenset[str]()
        for part in self.parts:  # any of them may be the one that decided, after those before it had said the opposite
            ways.append(before | part.tells(answer))
            before |= part.tells(self.every)
        return frozenset.intersection(*ways)


class Condition:
    """A condition that can be read; ``text`` is it as it was written."""

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self._root = root

    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        return frozenset(self._root.names())

    def check(self, variables: Variables) -> list[ConditionError]:
        """What keeps it from ever having an answer: undeclared variables, operators and literals that do not fit their types."""
        found = []
        for one in self._root.comparisons():
            try:
                one.check(variables)
            except ConditionError as error:
                found.append(error)
        return found

    def evaluate(self, variables: Variables) -> bool:
        """The answer. Raises ConditionError for an undeclared or unknown variable and for values that are none of its type."""
        return self._root.evaluate(variables)

    def reads(self, known: frozenset[str] = frozenset()) -> frozenset[str]:
        """Variables that an answer may need beside those ``known`` to have a value: EXISTS needs none."""
        return self._root.reads(known)

    def tells(self, answer: bool) -> frozenset[str]:
        """Variables that surely have a value where this ``answer`` was given."""
        return self._root.tells(answer)

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"
