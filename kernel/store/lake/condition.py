"""A query's condition → DuckDB SQL over segment columns. Every value travels as a parameter; only column names stand in the text.

Each leaf is wrapped in COALESCE(…, FALSE): a missing field makes it false, so NOT keeps the event (see :mod:`kernel.query.tree`).
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from kernel.query.regex import re2_character
from kernel.query.text import fold, spellings, wildcard_tokens
from kernel.query.tree import (
    FREE_TEXT_FIELDS,
    And,
    Bound,
    Equals,
    Exists,
    Match,
    Network,
    Node,
    Not,
    Predicate,
    Range,
    Regex,
    Wildcard,
)
from kernel.query.values import MAPPED, PLAIN_NUMBER
from kernel.store.lake.columns import ADDRESS_COLUMNS, CORE_SET, LONG_COLUMNS, REST, Layout, quoted, v4_column, v6_column

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_SEVEN = "(?i)" + "|".join(f"([0-9a-f]{{1,4}}:){{{left}}}(:[0-9a-f]{{1,4}}){{0,{7 - left}}}" for left in range(1, 8))

MACROS: tuple[str, ...] = (
    # the text of a float (its JSON text is t) as kernel.query.text.element_text writes it: exponents begin earlier there
    """CREATE MACRO float_text(d, t) AS CASE WHEN abs(d) >= 1e16 AND abs(d) < 1e21 THEN replace(CAST(d AS VARCHAR), 'e+', 'e')
        WHEN abs(d) >= 1e-6 AND abs(d) < 1e-5 THEN replace(CAST(d AS VARCHAR), 'e-0', 'e-') ELSE t END""",
    # 32 hex digits of an address text as kernel.query.values.ip_hex gives them, or NULL
    f"""CREATE MACRO ip4_hex(x) AS CASE WHEN regexp_full_match(x, '{_OCTET}(\\.{_OCTET}){{3}}')
        THEN '{MAPPED}' || list_aggregate(
            list_transform(str_split(x, '.'), lambda o: printf('%02x', CAST(o AS INTEGER))), 'string_agg', '') END""",
    """CREATE MACRO ip6_words(x) AS list_transform(list_filter(str_split(x, ':'), lambda w: w <> ''), lambda w: lpad(w, 4, '0'))""",
    """CREATE MACRO ip6_join(a, b) AS coalesce(list_aggregate(a, 'string_agg', ''), '')
        || CASE WHEN len(a) + len(b) < 8 THEN repeat('0000', 8 - len(a) - len(b)) ELSE '' END
        || coalesce(list_aggregate(b, 'string_agg', ''), '')""",
    f"""CREATE MACRO ip6_hex(x) AS CASE
        WHEN regexp_full_match(x, '(?i)([0-9a-f]{{1,4}}:){{7}}[0-9a-f]{{1,4}}') THEN ip6_join(ip6_words(lower(x)), [])
        WHEN regexp_full_match(x, '(?i)::([0-9a-f]{{1,4}}(:[0-9a-f]{{1,4}}){{0,6}})?') OR regexp_full_match(x, '{_SEVEN}')
        THEN ip6_join(ip6_words(lower(split_part(x, '::', 1))), ip6_words(lower(split_part(x, '::', 2)))) END""",
    """CREATE MACRO ip_hex(x) AS CASE
        WHEN NOT regexp_matches(x, '^[0-9a-fA-F:.]{2,45}(%[^%]{1,32})?$') THEN NULL
        WHEN NOT contains(x, ':') THEN ip4_hex(x)
        WHEN contains(split_part(x, '%', 1), '.')
        THEN CASE WHEN starts_with(lower(x), '::ffff:') THEN ip4_hex(substr(split_part(x, '%', 1), 8)) END
        ELSE ip6_hex(split_part(x, '%', 1)) END""",
)
"""To be created in every connection before a condition runs in it."""

_Test = Callable[[str], str]
_V4 = int(MAPPED + "0" * 8, 16)


def float_text(json: str) -> str:
    """SQL of the text of a float that stands in JSON."""
    return f"float_text(CAST({json} AS DOUBLE), json_extract_string({json}, '$'))"


def json_pointer(field: str) -> str:
    """RFC 6901 pointer of a field in ``rest``."""
    return "/" + field.replace("~", "~0").replace("/", "~1")


class Condition:
    """Builds the WHERE clause for segments of one layout; ``parameters`` holds the values."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.parameters: dict[str, object] = {}

    def value(self, value: object) -> str:
        """A new parameter, as SQL."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return "$" + name

    def where(self, node: Node) -> str:
        """The SQL of a condition: TRUE or FALSE for each row, never NULL."""
        if isinstance(node, Match):
            fields = (node.field,) if node.field else FREE_TEXT_FIELDS
            tests = [self.field(field, node.predicate) for field in fields]
            return "(" + " OR ".join(f"COALESCE({test}, FALSE)" for test in tests) + ")"
        if isinstance(node, Not):
            return f"(NOT {self.where(node.part)})"
        if isinstance(node, And):
            return "(" + " AND ".join(map(self.where, node.parts)) + ")" if node.parts else "TRUE"
        return "(" + " OR ".join(map(self.where, node.parts)) + ")" if node.parts else "FALSE"

    def field(self, field: str, predicate: Predicate) -> str:
        """The predicate on one field, wherever its values lie."""
        if field not in CORE_SET:
            return self.in_rest(field, predicate)
        test = self.in_column(field, predicate)
        if field in self.layout.spill:
            return f"COALESCE({test}, FALSE) OR {self.in_rest(field, predicate)}"
        return test

    def in_column(self, field: str, predicate: Predicate) -> str:
        column = quoted(field)
        if isinstance(predicate, Exists):
            return f"{column} IS NOT NULL"
        if field == "@timestamp":
            return self.text(predicate)(f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')")
        if field in LONG_COLUMNS:
            return self.number(predicate)(column)
        test = self.text(predicate)
        numbers = self.address(field, predicate) if field in ADDRESS_COLUMNS else ""
        scalar = numbers or test(column)
        if field not in self.layout.multi:
            return scalar
        return (
            f"CASE WHEN starts_with({column}, chr(31))"
            f" THEN len(list_filter(str_split(substr({column}, 2), chr(31)), lambda x: {test('x')})) > 0 ELSE {scalar} END"
        )

    def address(self, field: str, predicate: Predicate) -> str:
        """Answered by the number columns alone; "" where they do not help."""
        if isinstance(predicate, Network):
            first, last = int(predicate.first, 16), int(predicate.last, 16)
        elif isinstance(predicate, Range) and all(bound.kind == "ip" for _, bound in _ends(predicate)) and _ends(predicate):
            first = int(predicate.low.text, 16) + (not predicate.low.inclusive) if predicate.low else 0
            last = int(predicate.high.text, 16) - (not predicate.high.inclusive) if predicate.high else (1 << 128) - 1
        else:
            return ""
        tests = []
        low, high = max(first, _V4), min(last, _V4 + 0xFFFFFFFF)
        if low <= high:
            ends = self.value(low - _V4), self.value(high - _V4)
            tests.append(f"COALESCE({quoted(v4_column(field))} BETWEEN {ends[0]} AND {ends[1]}, FALSE)")
        if first < _V4 or last > _V4 + 0xFFFFFFFF:
            ends = self.value(f"{max(first, 0):032x}"), self.value(f"{max(last, 0):032x}")
            tests.append(f"COALESCE({quoted(v6_column(field))} BETWEEN {ends[0]} AND {ends[1]}, FALSE)")
        return "(" + " OR ".join(tests) + ")" if first <= last else "FALSE"

    def in_rest(self, field: str, predicate: Predicate) -> str:
        mark = self.value(orjson.dumps(field).decode() + ":")
        found = f"json_extract({REST}, {self.value(json_pointer(field))})"
        test = self.json(predicate)
        return (
            f"CASE WHEN contains({REST}, {mark}) THEN CASE WHEN json_type({found}) = 'ARRAY'"
            f" THEN len(list_filter(CAST({found} AS JSON[]), lambda x: {test('x')})) > 0 ELSE {test(found)} END ELSE FALSE END"
        )

    # tests of one element, by its kind

    def json(self, predicate: Predicate) -> _Test:
        if isinstance(predicate, Exists):
            return lambda x: f"{x} IS NOT NULL"
        text, number = self.text(predicate), self.number(predicate)
        return lambda x: (
            f"CASE json_type({x}) WHEN 'VARCHAR' THEN {text(f'''json_extract_string({x}, '$')''')}"
            f" WHEN 'BIGINT' THEN {number(f'CAST({x} AS HUGEINT)')} WHEN 'UBIGINT' THEN {number(f'CAST({x} AS HUGEINT)')}"
            f" WHEN 'DOUBLE' THEN {number(f'CAST({x} AS DOUBLE)', float_text(x))}"
            f" WHEN 'BOOLEAN' THEN {text(f'''json_extract_string({x}, '$')''')} ELSE FALSE END"
        )

    def number(self, predicate: Predicate) -> Callable[..., str]:
        """Test of a number; its text may be given where a cast would not give it."""
        if isinstance(predicate, Equals) and not predicate.anywhere:
            if predicate.number is None:
                return lambda x, text="": "FALSE"
            wanted = self.value(predicate.number)
            return lambda x, text="": f"{x} = {wanted}"
        if isinstance(predicate, Network):
            return lambda x, text="": "FALSE"
        if isinstance(predicate, Range):
            ends = [
                f"{{x}} {operator} {self.value(bound.number)}" if bound.kind == "number" else "FALSE"
                for operator, bound in _ends(predicate)
            ]
            return lambda x, text="": "(" + " AND ".join(end.replace("{x}", x) for end in ends) + ")" if ends else "TRUE"
        as_text = self.text(predicate)
        return lambda x, text="": as_text(text or f"CAST({x} AS VARCHAR)")

    def text(self, predicate: Predicate) -> _Test:
        if isinstance(predicate, Exists):
            return lambda x: "TRUE"
        if isinstance(predicate, Equals) and predicate.anywhere:
            pattern = self.value(_any_case(predicate.text))
            return lambda x: f"regexp_matches({x}, {pattern})"
        if isinstance(predicate, Equals):
            wanted = self.value(fold(predicate.text))
            return lambda x: f"lower({x}) = {wanted}"
        if isinstance(predicate, Wildcard):
            return self.wildcard(predicate)
        if isinstance(predicate, Regex):
            pattern = self.value(predicate.re2)
            return lambda x: f"regexp_matches(lower({x}), {pattern})"
        if isinstance(predicate, Network):
            first, last, literal = self.value(predicate.first), self.value(predicate.last), self.value(fold(predicate.text))
            return lambda x: f"(COALESCE(ip_hex({x}) BETWEEN {first} AND {last}, FALSE) OR lower({x}) = {literal})"
        ends = [self.end(operator, bound) for operator, bound in _ends(predicate)]
        return lambda x: "(" + " AND ".join(end(x) for end in ends) + ")" if ends else "TRUE"

    def wildcard(self, wildcard: Wildcard) -> _Test:
        tokens = wildcard_tokens(wildcard.pattern)
        if wildcard.anywhere:
            tokens = [("*", ""), *tokens, ("*", "")]
        kinds = "".join("t" if kind == "text" else kind for kind, _ in tokens).replace("**", "*")
        texts = [fold(text) for kind, text in tokens if kind == "text"]
        simple = {"*t*": "contains", "t*": "starts_with", "*t": "ends_with"}.get(kinds)
        if simple:
            wanted = self.value(texts[0])
            return lambda x: f"{simple}(lower({x}), {wanted})"
        if "?" not in kinds:
            like = self.value("".join("%" if kind == "*" else _like(fold(text)) for kind, text in tokens))
            return lambda x: f"lower({x}) LIKE {like} ESCAPE '\\'"
        body = "".join(
            {"*": ".*", "?": "."}.get(kind) or "".join(re2_character(ord(c)) for c in fold(text)) for kind, text in tokens
        )
        pattern = self.value(rf"(?s)\A{body}\z")  # LIKE's _ would match a grapheme, not a code point
        return lambda x: f"regexp_matches(lower({x}), {pattern})"

    def end(self, operator: str, bound: Bound) -> _Test:
        if bound.kind == "number":
            limit = self.value(float(bound.number))
            return lambda x: (
                f"CASE WHEN regexp_full_match({x}, '{PLAIN_NUMBER}') THEN CAST({x} AS DOUBLE) {operator} {limit} ELSE FALSE END"
            )
        if bound.kind == "ip":
            address = self.value(bound.text)
            return lambda x: f"ip_hex({x}) {operator} {address}"
        limit = self.value(fold(bound.text))
        if bound.kind == "date":
            return lambda x: f"substr(lower({x}), 1, {len(bound.text)}) {operator} {limit}"
        return lambda x: f"lower({x}) {operator} {limit}"


def _ends(predicate: Range) -> list[tuple[str, Bound]]:
    ends = []
    if predicate.low is not None:
        ends.append((">=" if predicate.low.inclusive else ">", predicate.low))
    if predicate.high is not None:
        ends.append(("<=" if predicate.high.inclusive else "<", predicate.high))
    return ends


def _any_case(text: str) -> str:
    """The text as RE2 over unfolded text: on long texts twice as fast as ``contains(lower(…), …)``, which copies them."""
    classes = (spellings(character) for character in fold(text))
    return "".join(re2_character(ord(c)) if len(c) == 1 else "[" + "".join(re2_character(ord(x)) for x in c) + "]" for c in classes)


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
