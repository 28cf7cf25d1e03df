"""A plan made into Python functions for one shape of line: decode the wanted fields, one look-up each, AND."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from detectors.sigma import derived
from detectors.sigma.ast import KEYWORDS
from detectors.sigma.keyword_filter import KeywordFilter
from detectors.sigma.line_shapes import Shape
from detectors.sigma.line_system import SYSTEM_READERS
from detectors.sigma.logsource import EVENT_DATA
from detectors.sigma.plan import Plan
from kernel.windows_event import FLAT_SYSTEM

_Scalar = str | int | float | bool | None
_Value = str | int | float | bool | list[_Scalar] | None | UnsetType

NONE: list[int] = []
Decide = Callable[[Any, bytes], list[int]]
Decode = Callable[[Any], Any]


class LinePlan:
    """What the fast path does with lines of one shape and class.

    slow      such lines cannot take the fast path
    keywords  numbers of the keyword filter that send a line to the slow path
    may_have_spaces  names of the event's fields may have spaces, which the slow path takes out
    decode    JSON of the fields → struct; None where no field is needed
    decide    (struct, line) → numbers of the rules that fire
    """

    def __init__(self, plan: Plan | None, shape: Shape, keywords: KeywordFilter, may_have_spaces: bool) -> None:
        self.slow = False
        self.may_have_spaces = may_have_spaces
        self.keywords: frozenset[int] = frozenset()
        self.decode: Decode | None = None
        self.decide: Decide = _no_rules
        if plan is None:
            return
        wanted = keywords.wanted(plan.keywords)
        if wanted is None:
            self.slow = True
            return
        self.keywords = wanted
        fields = {table.field for table in plan.tables} | plan.rest_fields
        if KEYWORDS in plan.rest_fields or (shape is Shape.WINLOG and EVENT_DATA + "Message" in fields):
            self.slow = True
            return
        builder = _Builder(plan, shape)
        self.decide = builder.function()
        if builder.names:
            self.decode = msgspec.json.Decoder(builder.struct()).decode


def _no_rules(_fields: Any, _line: bytes) -> list[int]:
    return NONE


class _Builder:
    """Writes the function's source. Only generated names go into it; values of rules stay behind them."""

    def __init__(self, plan: Plan, shape: Shape) -> None:
        self.plan = plan
        self.shape = shape
        self.names: dict[str, str] = {}  # JSON name → attribute
        self.scope: dict[str, Any] = {"UNSET": UNSET, "NONE": NONE, "report": plan.report}

    def function(self) -> Decide:
        body: list[str] = []
        singles, clauses = self.plan.all_rows, 0
        for number, table in enumerate(self.plan.tables):
            value = None if table.field == KEYWORDS else self._value(table.field)
            if value is None:
                # keywords: the filter has found none in the line; any other: such a line never has the field
                entry = table.nothing_found if table.field == KEYWORDS else table.missing
                singles &= entry[0]
                clauses |= entry[1]
                continue
            if number in self.plan.pending:
                self.scope[f"p{number}"] = self.plan.pending[number]
                self.scope["fulfilled"] = self.plan.fulfilled
                body += [f" x = fulfilled(x, y | p{number})", " if not x: return NONE"]
            self.scope |= {f"c{number}": table.cache, f"m{number}": table.miss, f"n{number}": table.concerns}
            body += [
                f" if x & n{number}:",  # a field that no row still standing asks about is not looked up
                f"  v = {value}",
                "  try:",
                f"   e = c{number}[v]",
                "  except (KeyError, TypeError):",
                f"   e = m{number}(v, x)",
                "  x &= e[0]",
                "  if not x: return NONE",
                "  y |= e[1]",
            ]
        if not singles:
            self.names.clear()
            return _no_rules
        self.scope |= {"x0": singles, "y0": clauses, "getter": self._getter()}
        fold: list[str] = []
        if self.plan.has_clauses:
            self.scope["y0"] |= self.plan.no_clause
            self.scope |= {"deep": self.plan.deep, "fulfilled": self.plan.fulfilled}
            fold = [" x &= y", " if x & deep: x = fulfilled(x, y)", " if not x: return NONE"]
        source = "\n".join(
            ["def decide(s, line):", " x = x0; y = y0", *body, *fold, " return report(x, lambda field: getter(field, s, line))"]
        )
        exec(source, self.scope)  # noqa: S102 - the source has only names made here
        decide: Decide = self.scope["decide"]
        return decide

    def _value(self, field: str) -> str | None:
        """Expression for a bound field's value; None where such a line never has it."""
        if field.startswith(EVENT_DATA):
            return self._attribute(field[len(EVENT_DATA) :])
        if field.startswith("="):
            function, keys = derived.parse(field)
            name = f"d{len(self.scope)}"
            self.scope[name] = _derive(function)
            arguments = [self._attribute(key[len(EVENT_DATA) :]) or "UNSET" for key in keys]
            return f"{name}({', '.join(arguments)})"
        system = SYSTEM_READERS[self.shape].get(field)
        if system is None:
            return None
        name = f"y{len(self.scope)}"
        self.scope[name] = system
        return f"{name}(line)"

    def _attribute(self, name: str) -> str | None:
        if self.shape is Shape.FLAT and name in FLAT_SYSTEM:
            return None
        return "s." + self.names.setdefault(name, f"a{len(self.names)}")

    def _getter(self) -> Callable[[str, Any, bytes], Any]:
        readers: dict[str, Callable[[Any, bytes], Any]] = {}
        for field in sorted(self.plan.rest_fields):
            expression = self._value(field)
            readers[field] = eval(f"lambda s, line: {expression or 'UNSET'}", self.scope)  # noqa: S307 - names made here only
        return lambda field, fields, line: readers[field](fields, line)

    def struct(self) -> type[msgspec.Struct]:
        """The wanted fields."""
        fields = [(attribute, _Value, UNSET) for attribute in self.names.values()]
        rename = {attribute: name for name, attribute in self.names.items()}
        return msgspec.defstruct("Fields", fields, rename=rename, gc=False)


def _derive(function: Callable[..., str | None]) -> Callable[..., Any]:
    def derive(*values: Any) -> Any:
        result = function(*(None if value is UNSET else "" if value is None else value for value in values))
        return UNSET if result is None else result

    return derive
