"""How values stand in YARA rules: each within a text in quotes, as the octets that it is, and nothing else.

A rule is divided into what YARA itself divides it into: comments, texts, regular expressions and the rest. A value can become no
other string, no condition and no second rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from playbooks.model import Variable
from playbooks.references import names_within, references
from playbooks.variables import VariableError, substitute

MOST_OCTETS = 512_000
_PARTS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>"(?:\\.|[^"\\\n])*")
      | (?P<regex>/(?:\\.|[^/\\\n])+/)
    """,
    re.DOTALL | re.VERBOSE,
)
"""YARA divides by a backslash, so a slash begins a comment or a regular expression, nothing else."""
_DIRECTIVE = re.compile(r"(?<![A-Za-z0-9_$#@!])(include|import)\s*\Z", re.ASCII)
_RULE = re.compile(r"\brule\s+[A-Za-z_]", re.ASCII)


def filled(text: str, scope: Mapping[str, Variable], readable: frozenset[str] | None) -> str:
    """The rules with their values. Raises VariableError."""
    if next(references(text), None) is None:
        return text
    if place := misplaced(text):
        raise VariableError(f"a value cannot stand in {place} of a rule", "values stand in texts in quotes")
    written = [
        substitute(part, scope, readable, _put) if kind == "text" else part for kind, part in _divided(text)
    ]  # other parts hold no names: misplaced has looked
    return "".join(written)


def misplaced(text: str) -> str:
    """A place of these rules in which a value cannot stand although a name does; "" for none."""
    if any(names_within(part) for kind, part in _divided(text) if kind == "comment"):
        return "a comment"
    for kind, part, directive in _without_comments(text):
        if names_within(part):
            if kind != "text":
                return "a regular expression" if kind == "regex" else "names, octets and conditions"
            if directive:
                return f"an {directive}"
    return ""


def mistake(text: str) -> str:
    """What is wrong with the form of these rules, whatever their values are; "" for nothing. What compiles them says the rest."""
    if len(text.encode("utf-8", "replace")) > MOST_OCTETS:
        return f"the rules have more than {MOST_OCTETS:,} octets"
    parts = list(_without_comments(text))
    if any(kind == "text" and directive == "include" for kind, _part, directive in parts):
        return "a rule cannot include a file of this machine"
    if not any(kind == "rest" and _RULE.search(part) for kind, part, _directive in parts):
        return "there is no YARA rule"
    return ""


def _without_comments(text: str) -> Iterator[tuple[str, str, str]]:
    """Kind and text of each part, and the ``include`` or ``import`` that stands before it ("" = none)."""
    before = ""
    for kind, part in _divided(text):
        if kind != "comment":
            found = _DIRECTIVE.search(before)
            yield kind, part, found[1] if found else ""
        before = {"rest": before + part, "comment": before + " "}.get(kind, "")


def _divided(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the text of each part, in their order."""
    end = 0
    for found in _PARTS.finditer(text):
        if found.start() > end:
            yield "rest", text[end : found.start()]
        yield str(found.lastgroup), found[0]
        end = found.end()
    if end < len(text):
        yield "rest", text[end:]


def _put(value: str) -> str:
    if not value.strip():
        raise VariableError("an empty value would be found everywhere", "give it a value")
    return "".join(_letter(letter) for letter in value)


def _letter(letter: str) -> str:
    if letter in '\\"':
        return f"\\{letter}"
    return letter if letter.isprintable() else "".join(f"\\x{octet:02x}" for octet in letter.encode("utf-8", "replace"))
