"""Conditions: what they answer, by the declared types, and what they refuse with the letter where."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.conditions import ConditionError, parse
from playbooks.model import Variable
from playbooks.values import typed

VARIABLES = {
    "__severity__": Variable(type="integer", value="10"),
    "__score__": Variable(type="float", value="0.85"),
    "__found__": Variable(type="bool", value="True"),
    "__ip__": Variable(type="ipv4-addr", value="10.1.2.3"),
    "__net__": Variable(type="ipv4-addr", value="10.1.0.0/16"),
    "__ip6__": Variable(type="ipv6-addr", value="2001:DB8::1"),
    "__mapped__": Variable(type="ipv6-addr", value="::ffff:10.1.2.3"),
    "__mac__": Variable(type="mac-addr", value="00:1B:44:11:3A:B7"),
    "__hash__": Variable(type="sha256-hash", value="AB" * 32),
    "__name__": Variable(type="string", value="a b"),
    "__quote__": Variable(type="string", value="it's"),
    "__text__": Variable(type="string", value="10"),
    "__empty__": Variable(type="string", value=""),
    "__address__": Variable(type="string", value="10.9.9.9"),
    "__object__": Variable(type="dictionary", value={"a": 1}),
    "__unknown__": Variable(type="string"),
    "__own__": Variable(type="own-type", value="x"),
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("__severity__:value = 10", True),
        ("__severity__:value == '10'", True),
        ("__severity__:value > 9", True),
        ("__severity__:value < 9", False),
        ("__severity__:value >= +10", True),
        ("__severity__:value <> 10", False),
        ("9 < __severity__:value", True),
        ("__text__:value > '9'", False),  # text, letter by letter
        ("__text__:value = 10", True),
        ("__score__:value <= .85", True),
        ("__score__:value = 8.5e-1", True),
        ("__found__:value = true", True),
        ("__found__:value != 'TRUE'", False),
        ("__ip__:value = '10.1.2.3'", True),
        ("__ip__:value = '10.1.2.3/32'", True),
        ("__ip__:value = '10.0.0.0/8'", False),
        ("__ip__:value ISSUBSET '10.0.0.0/8'", True),
        ("__ip__:value ISSUBSET '192.0.2.0/24'", False),
        ("__ip__:value ISSUBSET __net__:value", True),
        ("__net__:value ISSUPERSET '10.1.255.255'", True),
        ("__net__:value ISSUPERSET '10.0.0.0/8'", False),
        ("__address__:value ISSUBSET '10.0.0.0/8'", True),
        ("__ip6__:value = '2001:db8:0::1'", True),
        ("__ip6__:value ISSUBSET '2001:db8::/32'", True),
        ("__ip6__:value ISSUBSET '10.0.0.0/8'", False),
        ("__mapped__:value ISSUBSET '10.0.0.0/8'", True),
        ("__mac__:value = '00-1b-44-11-3a-b7'", True),
        ("__hash__:value IN ('" + "cd" * 32 + "', '" + "ab" * 32 + "')", True),
        ("__severity__:value IN (1, 10)", True),
        ("__severity__:value NOT IN (1, 10)", False),
        ("__name__:value = 'a b'", True),
        ('__name__:value = "a b"', True),
        (r"__quote__:value = 'it\'s'", True),
        ("__name__:value LIKE 'a%'", True),
        ("__name__:value LIKE 'a_b'", True),
        ("__name__:value LIKE 'A_b'", False),
        ("__name__:value LIKE '%.b'", False),
        ("__name__:value NOT LIKE '%c%'", True),
        (r"__name__:value MATCHES '^a\s+b$'", True),
        (r"__ip__:value MATCHES '\\.3$'", True),
        (r"__ip__:value MATCHES '\.3$'", True),
        ("__object__:value = '{\"a\": 1}'", True),
        ("__own__:value >= 'x'", True),
        ("__empty__:value = ''", True),
        ("EXISTS __empty__:value", True),
        ("EXISTS __unknown__:value", False),
        ("NOT EXISTS __unknown__:value", True),
        ("EXISTS __unknown__:value AND __unknown__:value = 'a'", False),
        ("[__severity__:value = 10] AND [__name__:value = 'a b']", True),
        # AND binds before OR, NOT before both
        ("__severity__:value = 10 OR __severity__:value = 1 AND __severity__:value = 2", True),
        ("(__severity__:value = 10 OR __severity__:value = 1) AND __severity__:value = 2", False),
        ("NOT __severity__:value = 1 AND __severity__:value = 10", True),
        ("not (__severity__:value = 1 or __severity__:value = 10)", False),
    ],
)
def test_answers(text: str, answer: bool) -> None:
    condition = parse(text)
    assert condition.check(VARIABLES) == []
    assert condition.evaluate(VARIABLES) is answer


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("Response received", 0, "'Response' is not understood"),
        ("__a__:value = b", 14, "'b' is not understood"),
        ("__a__ = 'b'", 0, "__a__ without :value"),
        ("bad:value = 'b'", 0, "'bad' cannot name a variable"),
        ("__a__:value", 11, "an operator is missing"),
        ("__a__:value =", 13, "a value is missing"),
        ("__a__:value = 'b", 14, "never closed"),
        ("__a__:value = 'b' __c__:value = 'd'", 18, "goes on after its end"),
        ("(__a__:value = 'b'", 18, "never closed"),
        ("__a__:value IN 'b'", 15, "IN needs a list"),
        ("__a__:value IN ('b'", 19, "never closed"),
        ("__a__:value IN ()", 16, "a value is missing"),
        ("'a' = 'b'", 0, "no variable"),
        ("'a' IN ('a')", 0, "no variable"),
        ("EXISTS 'a'", 7, "asks about a variable"),
        ("__a__:value = 10.0.0.1", 14, "not understood"),
        ("__a__:value MATCHES '('", 20, "regular expression"),
        ("__a__:value MATCHES '(?=a)'", 20, "regular expression"),
        ("__a__:value & 'b'", 12, "not understood"),
        ("__a__:value = b'YQ=='", 14, "binary"),
        ("(" * 60 + "__a__:value = 1" + ")" * 60, 50, "50 parentheses"),
        ("NOT " * 60 + "__a__:value = 1", 200, "50 parentheses"),
        ("__a__:value = 1 OR " * 520, 0, ""),
        ("x" * 10_001, 0, "10,000 letters"),
        ("__a__:value LIKE '" + "%" * 1_001 + "'", 17, "1,000 letters"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text: str, position: int, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert message in caught.value.message
    if message:
        assert caught.value.position == position
        assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__unknown__:value = 'a'", "is not known"),
        ("'a' = __unknown__:value", "is not known"),
        ("__severity__:value = 10 AND __unknown__:value = 'a'", "is not known"),
        ("__missing__:value = 'a'", "is not declared"),
        ("EXISTS __missing__:value", "is not declared"),
        ("__severity__:value = 'many'", "not a whole number"),
        ("__severity__:value = __name__:value", "not a whole number"),
        ("__ip__:value < '10.0.0.1'", "has no order"),
        ("__found__:value > false", "has no order"),
        ("__severity__:value ISSUBSET '10.0.0.0/8'", "is no address"),
        ("__name__:value ISSUBSET '10.0.0.0/8'", "is no address"),
        ("__ip__:value ISSUBSET 'ten'", "is no address"),
        ("__object__:value LIKE '%'", "no text"),
        ("__name__:value MATCHES __quote_bad__:value", "is not declared"),
    ],
)
def test_what_has_no_answer_is_an_error_and_never_false(text: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse(text).evaluate(VARIABLES)


def test_a_check_tells_all_before_any_value_is_known() -> None:
    unknown = {name: Variable(type=one.type) for name, one in VARIABLES.items()}
    condition = parse("__severity__:value = 'x' OR __ip__:value < '1.1.1.1' OR __no__:value = 1 OR __name__:value = 'a'")
    assert [error.position for error in condition.check(unknown)] == [21, 41, 56]


def test_names() -> None:
    text = "EXISTS __a__:value AND NOT (__b__:value = __c__:value OR __d__:value IN ('x', __e__:value))"
    assert parse(text).names() == {"__a__", "__b__", "__c__", "__d__", "__e__"}


def test_no_pattern_makes_matching_run_away() -> None:
    long = {"__t__": Variable(type="string", value="a" * 50_000)}
    started = time.perf_counter()
    assert not parse("__t__:value MATCHES '^(a+)+$b'").evaluate(long)
    assert not parse("__t__:value LIKE '" + "%a" * 400 + "b'").evaluate(long)
    assert time.perf_counter() - started < 5


def test_patterns_may_come_from_a_variable_and_are_looked_at_then() -> None:
    variables = {"__p__": Variable(type="string", value="(a"), "__t__": Variable(type="string", value="a")}
    with pytest.raises(ConditionError, match="regular expression"):
        parse("__t__:value MATCHES __p__:value").evaluate(variables)


_WORDS = st.sampled_from(
    [
        *(f"{name}:value" for name in VARIABLES),
        *("__missing__:value", "=", "!=", "<", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "AND", "OR", "NOT"),
        *("EXISTS", "(", ")", "[", ",", "'a b'", "'10.0.0.0/8'", "'('", "'%'", "7", "-1.5e3", "true", "'", "\\", "x"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_WORDS, max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_condition_or_a_condition_error(text: str) -> None:
    try:
        condition = parse(text)
        assert condition.names() == set(condition.names())
        condition.check(VARIABLES)
        assert condition.evaluate(VARIABLES) in (True, False)
    except ConditionError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_compare_as_numbers(left: int, right: int) -> None:
    variables = {"__a__": Variable(type="long", value=str(left)), "__b__": Variable(type="long", value=str(right))}
    assert parse("__a__:value < __b__:value").evaluate(variables) is (left < right)


@given(st.text(max_size=30).filter(lambda text: "\0" not in text))
def test_any_text_compares_equal_to_itself_in_quotes(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    variables = {"__a__": Variable(type="string", value=text)}
    assert parse(f"__a__:value = '{quoted}'").evaluate(variables)


@given(st.ip_addresses(), st.integers(0, 128))
def test_every_address_is_within_its_networks(address: object, bits: int) -> None:
    kind = "ipv4-addr" if ":" not in str(address) else "ipv6-addr"
    network = typed(kind, f"{address}/{min(bits, 32) if kind == 'ipv4-addr' else bits}")
    variables = {"__a__": Variable(type=kind, value=str(address))}
    assert parse(f"__a__:value ISSUBSET '{network}'").evaluate(variables)


_NAMES = ("__a__", "__b__", "__c__")


def _conditions() -> st.SearchStrategy[str]:
    names = st.sampled_from(_NAMES)
    atoms = st.one_of(
        names.map(lambda name: f"EXISTS {name}:value"),
        st.tuples(names, names).map(lambda two: f"{two[0]}:value = {two[1]}:value"),
        names.map(lambda name: f"{name}:value IN ('x', 'y')"),
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map(lambda one: f"NOT ({one})"),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: " AND ".join(f"({one})" for one in parts)),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: " OR ".join(f"({one})" for one in parts)),
        ),
        max_leaves=8,
    )


@given(_conditions(), st.fixed_dictionaries({name: st.sampled_from([None, "x", "z"]) for name in _NAMES}))
def test_what_it_reads_and_what_its_answer_tells(text: str, values: dict[str, str | None]) -> None:
    condition = parse(text)
    variables = {name: Variable(type="string", value=value) for name, value in values.items()}
    known = frozenset(name for name, value in values.items() if value is not None)
    try:
        answer = condition.evaluate(variables)
    except ConditionError:
        assert not condition.reads() <= known, "it said that it could do without"
    else:
        assert condition.tells(answer) <= known
    assert condition.reads() <= condition.names()
    assert condition.reads(frozenset(_NAMES)) == frozenset()
