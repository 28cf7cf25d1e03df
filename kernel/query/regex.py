"""Regular expressions of the query language: the part of RE2's syntax that RE2 and Python read alike.

Reference: https://github.com/google/re2/wiki/Syntax. Look-around, back references, atomic groups and possessive quantifiers do
not exist in RE2 (it promises linear time). Matching is over folded text, so literals and classes are folded here instead of
using ``(?i)``; ``.`` matches line ends too, ``^`` and ``$`` are the ends of the whole text, ``\\d \\w \\s \\b`` are ASCII.
"""

from __future__ import annotations

import re

from kernel.errors import QueryError
from kernel.query.re2 import re2_error
from kernel.query.text import fold
from kernel.query.tree import Regex

_Ranges = list[tuple[int, int]]
_LAST = 0x10FFFF
_CLASSES: dict[str, _Ranges] = {
    "d": [(0x30, 0x39)],
    "w": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
    "s": [(0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)],
}
_CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12, "v": 11, "a": 7}
_PYTHON_BOUNDARY = r"(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))"
_PYTHON_NO_BOUNDARY = r"(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))"
_REPEAT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}", re.ASCII)
_FOLD_LIMIT = 0x800


def parse_regex(pattern: str, position: int = 0) -> Regex:
    """``position`` is where the pattern stands in the query, for the error. Raises QueryError."""
    return _Translator(pattern, position).run()


class _Translator:
    def __init__(self, pattern: str, position: int) -> None:
        self.pattern = pattern
        self.position = position
        self.at = 0
        self.re2: list[str] = []
        self.python: list[str] = []
        self.steep = False

    def run(self) -> Regex:
        if not self.pattern:
            raise self.error("the regular expression is empty", "to ask whether the field is there at all write field:*")
        groups: list[bool] = []  # per open group: does it hold something repeated or an alternative?
        repeatable = False
        closed_complex = False
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            if character in "*+?{" and (character != "{" or _REPEAT.match(self.pattern, self.at)):
                unbounded = self.quantifier(repeatable)
                self.steep = self.steep or (unbounded and closed_complex)
                if groups:
                    groups[-1] = True
                repeatable, closed_complex = False, False
                continue
            closed_complex = False
            if character == "(":
                if self.open_group():
                    groups.append(False)
                repeatable = False
            elif character == ")":
                if not groups:
                    raise self.error("')' without '('", "write \\) for a plain parenthesis")
                self.emit(")")
                self.at += 1
                closed_complex = groups.pop()
                repeatable = True
                if closed_complex and groups:
                    groups[-1] = True
            elif character == "|":
                self.emit("|")
                self.at += 1
                if groups:
                    groups[-1] = True
                repeatable = False
            else:
                repeatable = self.atom(character)
        if groups:
            raise self.error("'(' is never closed", "write \\( for a plain parenthesis")
        return self.checked()

    def checked(self) -> Regex:
        re2, python = "(?s)" + "".join(self.re2), "".join(self.python)
        fault = re2_error(re2)
        if fault:
            raise QueryError(f"the regular expression does not work: {fault}", "simplify it", self.position)
        try:
            re.compile(python, re.DOTALL)
        except (re.error, OverflowError, RecursionError) as error:
            raise QueryError(f"the regular expression does not work: {error}", "simplify it", self.position) from error
        return Regex(self.pattern, re2, python, self.steep)

    def error(self, message: str, hint: str = "") -> QueryError:
        return QueryError(message, hint, self.position + self.at)

    def emit(self, re2: str, python: str | None = None) -> None:
        self.re2.append(re2)
        self.python.append(re2 if python is None else python)

    def quantifier(self, repeatable: bool) -> bool:
        """Copy a quantifier (laziness does not change whether something is found); True when it has no upper limit."""
        if not repeatable:
            raise self.error(
                f"nothing to repeat before {self.pattern[self.at]!r}", "write a backslash before it for the plain character"
            )
        match = _REPEAT.match(self.pattern, self.at)
        if match:
            low, high = int(match[1]), match[3]
            if max(low, int(high or 0)) > 1000 or (high and int(high) < low):
                raise self.error(f"the repetition {match[0]} is not possible", "at most 1000, smaller number first")
            self.emit(match[0])
            self.at = match.end()
            unbounded = match[2] is not None and not high
        else:
            self.emit(self.pattern[self.at])
            unbounded = self.pattern[self.at] in "*+"
            self.at += 1
        following = self.pattern[self.at : self.at + 1]
        if following == "?":
            self.at += 1
        elif following == "+":
            raise self.error("possessive quantifiers are not supported", "leave out the second '+'")
        return unbounded

    def open_group(self) -> bool:
        """False for a flag group such as ``(?i)``, which holds nothing."""
        rest = self.pattern[self.at :]
        if not rest.startswith("(?"):
            self.at += 1
        elif rest.startswith(("(?=", "(?!", "(?<=", "(?<!")):
            raise self.error(
                "look-ahead and look-behind are not supported", "split it into two conditions: field:/…/ AND NOT field:/…/"
            )
        elif rest.startswith("(?:"):
            self.at += 3
        elif flags := re.match(r"\(\?[is]+\)", rest):
            self.at += flags.end()
            return False
        elif name := re.match(r"\(\?P?<\w+>", rest):
            self.at += name.end()
        else:
            raise self.error(f"the group {rest[:4]!r} is not supported", "only (…), (?:…) and (?i) are")
        self.emit("(?:")
        return True

    def atom(self, character: str) -> bool:
        """One literal, class or assertion; True when it can be repeated."""
        if character == "[":
            ranges, negated = self.bracket()
            self.emit_class(ranges, negated)
            return True
        if character == "\\":
            return self.escape()
        self.at += 1
        if character == ".":
            self.emit(".")
        elif character == "^":
            self.emit(r"\A")
            return False
        elif character == "$":
            self.emit(r"\z", r"\Z")
            return False
        else:
            self.literal(ord(character))
        return True

    def escape(self) -> bool:
        character = self.pattern[self.at + 1 : self.at + 2]
        if character in ("b", "B"):
            self.at += 2
            self.emit("\\" + character, _PYTHON_BOUNDARY if character == "b" else _PYTHON_NO_BOUNDARY)
            return False
        if character in ("A", "z", "Z"):
            self.at += 2
            self.emit(r"\A") if character == "A" else self.emit(r"\z", r"\Z")
            return False
        if character and character.lower() in _CLASSES:
            self.at += 2
            self.emit_class(_CLASSES[character.lower()], character.isupper())
            return True
        self.literal(self.escaped_code())
        return True

    def escaped_code(self) -> int:
        """Code point of ``\\t``, ``\\x41``, ``\\x{4e2d}``, ``\\.``; ``at`` stands on the backslash."""
        character = self.pattern[self.at + 1 : self.at + 2]
        if not character:
            raise self.error("a backslash at the end", "write two for a plain backslash")
        if character == "x":
            match = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})").match(self.pattern, self.at)
            code = int(match[1] or match[2], 16) if match else _LAST + 1
            if match is None or code > _LAST or 0xD800 <= code < 0xE000:
                raise self.error("\\x needs two hex digits, or a code point in braces", "for example \\x41 or \\x{4e2d}")
            self.at = match.end()
            return code
        if character in _CONTROLS:
            self.at += 2
            return _CONTROLS[character]
        if character.isdigit():
            raise self.error("back references are not supported", "RE2 has none; spell the repetition out")
        if character.isalpha():
            raise self.error(f"the escape \\{character} is not supported", "for a plain backslash write two")
        self.at += 2
        return ord(character)

    def bracket(self) -> tuple[_Ranges, bool]:
        self.at += 1
        negated = self.pattern.startswith("^", self.at)
        self.at += negated
        ranges: _Ranges = []
        first = True
        while True:
            character = self.pattern[self.at : self.at + 1]
            if not character:
                raise self.error("'[' is never closed", "write \\[ for a plain bracket")
            if character == "]" and not first:
                self.at += 1
                return ranges, negated
            first = False
            if self.pattern.startswith("[:", self.at):
                raise self.error("named classes such as [:alpha:] are not supported", "write the range, for example a-z")
            named = self.pattern[self.at + 1 : self.at + 2] if character == "\\" else ""
            if named and named.lower() in _CLASSES:
                inner = _CLASSES[named.lower()]
                ranges += _complement(inner) if named.isupper() else inner
                self.at += 2
                continue
            low = self.class_character(character)
            high = low
            if self.pattern.startswith("-", self.at) and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.class_character(self.pattern[self.at])
            if high < low:
                raise self.error(f"the range {chr(low)}-{chr(high)} runs backwards")
            ranges += _folded(low, high)

    def class_character(self, character: str) -> int:
        if character == "\\":
            return self.escaped_code()
        self.at += 1
        return ord(character)

    def literal(self, code: int) -> None:
        folded = ord(fold(chr(code)))
        self.emit(re2_character(folded), python_character(folded))

    def emit_class(self, ranges: _Ranges, negated: bool) -> None:
        sign = "^" if negated else ""
        self.emit(
            "[" + sign + "".join(f"{re2_character(a)}-{re2_character(b)}" for a, b in ranges) + "]",
            "[" + sign + "".join(f"{python_character(a)}-{python_character(b)}" for a, b in ranges) + "]",
        )


def _folded(low: int, high: int) -> _Ranges:
    """The range and the lower-case forms of what is in it (of a large one only of its first part)."""
    spans = [(low, high)]
    for code in range(low, min(high, low + _FOLD_LIMIT) + 1):
        if 0xD800 <= code < 0xE000:
            continue
        folded = ord(fold(chr(code)))
        if not low <= folded <= high:
            spans.append((folded, folded))
    return spans


def _complement(ranges: _Ranges) -> _Ranges:
    result: _Ranges = []
    start = 0
    for low, high in sorted(ranges):
        if start < low:
            result.append((start, low - 1))
        start = high + 1
    return [*result, (start, _LAST)]


def re2_character(code: int) -> str:
    """A plain character in RE2 syntax."""
    character = chr(code)
    return character if character.isascii() and character.isalnum() else f"\\x{{{code:x}}}"


def python_character(code: int) -> str:
    """A plain character in the syntax of Python's ``re``."""
    character = chr(code)
    return character if character.isascii() and character.isalnum() else f"\\U{code:08x}"
