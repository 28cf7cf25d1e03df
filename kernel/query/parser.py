"""Text → :class:`~kernel.query.tree.Query`, by recursive descent.

::

    query  = [ or ] { "|" pipe }
    or     = and { "OR" and }
    and    = not { [ "AND" ] not }
    not    = { "NOT" } ( "(" or ")" | field ":" value | word | "quoted phrase" )
    value  = "(" or-of-values ")" | range | comparison | /regex/ | word | "quoted phrase"

See docs/query-language.md for people. Limits keep a hostile query from costing much: ``MAX_LENGTH`` characters,
``MAX_DEPTH`` nested parentheses, ``MAX_TERMS`` conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import QueryError
from kernel.query.pipes import parse_pipes
from kernel.query.regex import parse_regex
from kernel.query.tree import (
    FREE_IP_FIELDS,
    TEXT_FIELDS,
    And,
    Bound,
    Equals,
    Exists,
    Match,
    Network,
    Node,
    Not,
    Or,
    Predicate,
    Query,
    Range,
    Wildcard,
)
from kernel.query.values import date_prefix, ip_hex, network, number

MAX_LENGTH = 16_384
MAX_DEPTH = 40
MAX_TERMS = 256

_FIELD = re.compile(r"(?:[\w@$#~/-]|\\.)(?:[\w@$#~./-]|\\.)*", re.DOTALL)
_WORD = re.compile(r'(?:[^\s()"|\\]|\\.|\\$)+', re.DOTALL)
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)+)/(?=[\s)|]|$)", re.DOTALL)
_RANGE = re.compile(
    r"""(?P<open>[\[{]) \s*
        (?P<low>"(?:[^"\\]|\\.)*"|[^\s"\]}]+) \s+ TO \s+
        (?P<high>"(?:[^"\\]|\\.)*"|[^\s"\]}]+) \s*
        (?P<close>[\]}])""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COMPARISON = re.compile(r"(>=|<=|>|<)")
_OPERATOR_SLIP = re.compile(r"[a-z_@]+(\.[a-z_0-9]+)+(==?|!=|<=?|>=?)")
_SPECIAL = frozenset('\\*?():" /<>=[]{}|,')


@lru_cache(maxsize=512)
def parse_query(text: str) -> Query:
    """The query of a text; empty text and ``*`` match everything. Raises QueryError with the position of the fault."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query has {len(text)} characters", f"at most {MAX_LENGTH}", MAX_LENGTH)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the query is not valid Unicode text", "type it again", error.start) from error
    parser = _Parser(text)
    root = parser.run()
    return Query(text, root, parse_pipes(text, parser.at))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.terms = 0

    def run(self) -> Node:
        """The condition; afterwards ``at`` is the end of the text or the first ``|``."""
        self.blanks()
        if self.peek() in ("", "|"):
            return And()
        node = self.either(self.free_operand)
        if self.peek() == ")":
            raise self.error("')' without '('", "remove it, or write \\) for a plain parenthesis")
        return node

    def error(self, message: str, hint: str = "", at: int | None = None) -> QueryError:
        return QueryError(message, hint, self.at if at is None else at)

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def keyword(self) -> str:
        """AND, OR, NOT (in any case) standing here as a word of its own, or ""."""
        match = re.compile(r"(AND|OR|NOT)(?=[\s(|]|$)", re.IGNORECASE).match(self.text, self.at)
        return match[1].upper() if match else ""

    def accept(self, word: str) -> bool:
        if self.keyword() != word:
            return False
        self.at += len(word)
        self.blanks()
        return True

    # the boolean part, shared by whole queries and by field:(…)

    def either(self, operand: Callable[[], Node]) -> Node:
        parts = [self.both(operand)]
        while self.accept("OR"):
            parts.append(self.both(operand))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self, operand: Callable[[], Node]) -> Node:
        parts = [self.negated(operand)]
        while self.accept("AND") or (self.peek() not in ("", ")", "|") and self.keyword() != "OR"):
            parts.append(self.negated(operand))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negated(self, operand: Callable[[], Node]) -> Node:
        negations = 0
        while self.accept("NOT"):
            negations += 1
        word = self.keyword()
        if word:
            raise self.error(f"{word} needs a condition before it", f'put "{word.lower()}" in quotes to search for the word')
        if self.peek() in ("", ")", "|"):
            raise self.error("a condition is missing here", "for example process.name:cmd.exe")
        node = self.group(operand) if self.peek() == "(" else operand()
        self.blanks()
        return Not(node) if negations % 2 else node

    def group(self, operand: Callable[[], Node]) -> Node:
        start = self.at
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("too many nested parentheses", f"at most {MAX_DEPTH}")
        self.at += 1
        self.blanks()
        node = self.either(operand)
        if self.peek() != ")":
            raise self.error("'(' is never closed", "add ')', or write \\( for a plain parenthesis", start)
        self.at += 1
        self.depth -= 1
        return node

    # conditions

    def free_operand(self) -> Node:
        if self.peek() == '"':
            return self.match("", Equals(self.phrase(), anywhere=True))
        start = self.at
        name = _FIELD.match(self.text, self.at)
        word = _WORD.match(self.text, self.at)
        if name and self.text.startswith(":", name.end()) and not (word and network(word[0])):
            self.at = name.end() + 1
            return self.condition(_unescape(name[0]), start)
        return self.free_word()

    def free_word(self) -> Node:
        start, word = self.at, self.word()
        if _OPERATOR_SLIP.match(word):
            raise self.error(f"{word!r} has no ':'", "write field:value, field:>5, NOT field:value", start)
        block = network(word)
        if block is None:
            return self.word_match("", word)
        network_predicate = Network(word, *block)
        texts = self.match("", Equals(word, anywhere=True))
        return Or((texts, *(self.match(field, network_predicate) for field in FREE_IP_FIELDS)))

    def condition(self, field: str, start: int) -> Node:
        """What follows ``field:``."""
        if field == "_exists_":
            return self.match(_unescape(self.word()), Exists())
        if self.peek() in ("", ")", "|") or self.peek().isspace():
            raise self.error(f"{field}: has no value", f"write {field}:value, or {field}:* for any value", start)
        if self.peek() == "\\" and len(field) == 1 and field.isalpha():
            raise self.error("this looks like a path, not like field:value", f'put it in quotes: "{field}:\\\\…"', start)
        if self.peek() == "(":
            return self.group(lambda: self.value(field))
        return self.value(field)

    def value(self, field: str) -> Node:
        match = _REGEX.match(self.text, self.at)
        if match:
            start, self.at = self.at + 1, match.end()
            return self.match(field, parse_regex(match[1].replace("\\/", "/"), start))
        if self.peek() == '"':
            return self.match(field, self.plain(field, self.phrase()))
        if self.peek() in ("[", "{"):
            return self.match(field, self.range())
        comparison = _COMPARISON.match(self.text, self.at)
        if comparison:
            self.at = comparison.end()
            self.blanks()
            return self.match(field, self.compared(comparison[1]))
        return self.word_match(field, self.word())

    def word_match(self, field: str, word: str) -> Node:
        if word == "*":
            return self.match(field, Exists()) if field else And()
        pattern = _pattern(word)
        literal = _literal(pattern)
        if literal is None:
            return self.match(field, Wildcard(pattern, anywhere=not field or field in TEXT_FIELDS))
        return self.match(field, self.plain(field, literal))

    def plain(self, field: str, text: str) -> Predicate:
        if not field or field in TEXT_FIELDS:
            return Equals(text, anywhere=True)
        block = network(text)
        if block:
            return Network(text, *block)
        if FIELD_TYPES.get(field) == "date" and (prefix := date_prefix(text)):
            bound = Bound("date", prefix)
            return Range(bound, bound)
        return Equals(text, number(text))

    def match(self, field: str, predicate: Predicate) -> Match:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise self.error("too many conditions", f"at most {MAX_TERMS}; ask in several queries")
        return Match(field, predicate)

    # literals

    def word(self) -> str:
        match = _WORD.match(self.text, self.at)
        if match is None:
            raise self.error("a value is missing here", 'put special characters in quotes, or a backslash before them: \\" \\| \\(')
        self.at = match.end()
        if self.peek() == '"':
            raise self.error("a quotation mark inside a word", 'write \\" for a plain one, or put the whole value in quotes')
        return match[0]

    def phrase(self) -> str:
        match = _PHRASE.match(self.text, self.at)
        if match is None:
            raise self.error("the quotation mark is never closed", 'add ", or write \\" for a plain one')
        self.at = match.end()
        return re.sub(r'\\(["\\])', r"\1", match[1])

    def range(self) -> Range:
        match = _RANGE.match(self.text, self.at)
        if match is None:
            raise self.error("the range is not complete", "write [low TO high], {low TO high} without the ends, * for an open end")
        start, self.at = self.at, match.end()
        low = _bound(match["low"], match["open"] == "[")
        high = _bound(match["high"], match["close"] == "]")
        if low and high and low.kind != high.kind:
            raise self.error("the two ends are of different kinds", "two numbers, two dates, two addresses or two texts", start)
        return Range(low, high)

    def compared(self, operator: str) -> Range:
        text = f'"{self.phrase()}"' if self.peek() == '"' else self.word()
        bound = _bound(text, "=" in operator)
        if bound is None:
            raise self.error("a comparison needs a value", "for example field:>=5")
        return Range(low=bound) if operator[0] == ">" else Range(high=bound)


def _bound(text: str, inclusive: bool) -> Bound | None:
    if text == "*":
        return None
    text = re.sub(r'\\(["\\])', r"\1", text[1:-1]) if text.startswith('"') else _unescape(text)
    value = number(text)
    if value is not None:
        return Bound("number", text, value, inclusive)
    address = ip_hex(text)
    if address:
        return Bound("ip", address, inclusive=inclusive)
    prefix = date_prefix(text)
    if prefix:
        return Bound("date", prefix, inclusive=inclusive)
    return Bound("text", text, inclusive=inclusive)


def _unescape(text: str) -> str:
    """A backslash before a special character makes it plain; elsewhere it is a backslash (``C:\\Windows``)."""
    return re.sub(r"\\(.)", lambda m: m[1] if m[1] in _SPECIAL else m[0], text, flags=re.DOTALL)


def _pattern(word: str) -> str:
    """A typed word as a :class:`Wildcard` pattern: only ``\\``, ``*``, ``?`` stay escaped, every plain backslash is doubled."""

    def one(match: re.Match[str]) -> str:
        character = match[1]
        if character in ("\\", "*", "?"):
            return match[0]
        return character if character in _SPECIAL else "\\\\" + character

    pattern = re.sub(r"\\(.)", one, word, flags=re.DOTALL)
    trailing = len(word) - len(word.rstrip("\\"))
    return pattern + "\\" if trailing % 2 else pattern


def _literal(pattern: str) -> str | None:
    """The plain text of a pattern without wildcards, else None."""
    if re.sub(r"\\.", "", pattern, flags=re.DOTALL).count("*") or "?" in re.sub(r"\\.", "", pattern, flags=re.DOTALL):
        return None
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
