"""A second, naive reading of Sigma, made for the tests only: it walks the YAML objects of a rule with the event beside it.

It shares nothing with the engine: no pySigma, no tree, no tables. Conditions come as nested tuples (``("and", …)``), because the
generator writes both their text and their meaning.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any


def condition_holds(condition: Any, selections: dict[str, Any], event: dict[str, Any]) -> bool:
    if isinstance(condition, str):
        return selection_holds(selections[condition], event)
    word, *parts = condition
    if word == "not":
        return not condition_holds(parts[0], selections, event)
    truths = [condition_holds(part, selections, event) for part in parts]
    return all(truths) if word == "and" else any(truths)


def condition_text(condition: Any) -> str:
    if isinstance(condition, str):
        return condition
    word, *parts = condition
    if word == "not":
        return f"not ({condition_text(parts[0])})"
    return "(" + f" {word} ".join(condition_text(part) for part in parts) + ")"


def selection_holds(selection: Any, event: dict[str, Any]) -> bool:
    if isinstance(selection, dict):
        return all(_item_holds(key, value, event) for key, value in selection.items())
    if all(isinstance(one, dict) for one in selection):
        return any(selection_holds(one, event) for one in selection)
    return any(_keyword_holds(one, event) for one in selection)


def _keyword_holds(keyword: Any, event: dict[str, Any]) -> bool:
    wanted = _glob("*" + _ended(str(keyword)) + "*", re.IGNORECASE)
    for name, value in event.items():
        if name in ("event.id", "@timestamp", "event.ingested"):
            continue
        if any(wanted.fullmatch(_text(one)) for one in _listed(value)):
            return True
    return False


def _item_holds(key: str, wanted: Any, event: dict[str, Any]) -> bool:
    field, *modifiers = key.split("|")
    values = wanted if isinstance(wanted, list) else [wanted]
    truths = [_value_holds(field, modifiers, value, event) for value in values]
    holds = all(truths) if "all" in modifiers else any(truths)
    return not holds if "neq" in modifiers else holds


def _value_holds(field: str, modifiers: list[str], wanted: Any, event: dict[str, Any]) -> bool:
    there = field in event
    if "exists" in modifiers:
        return there is wanted
    texts = [_text(one) for one in _listed(event[field])] if there else []
    if wanted is None:
        return all(text == "" for text in texts)
    if "fieldref" in modifiers:
        others = [_text(one).lower() for one in _listed(event.get(wanted, []))]
        return any(text.lower() == other for text in texts for other in others)
    return any(_text_holds(text, modifiers, wanted) for text in texts)


def _text_holds(text: str, modifiers: list[str], wanted: Any) -> bool:
    if "cidr" in modifiers:
        try:
            return ipaddress.ip_address(text) in ipaddress.ip_network(wanted)
        except ValueError:
            return False
    for word, compare in _COMPARE.items():
        if word in modifiers:
            try:
                return compare(float(text), wanted)
            except ValueError:
                return False
    if "re" in modifiers:
        flags = re.IGNORECASE if "i" in modifiers else re.NOFLAG
        return re.search(wanted, text, flags) is not None
    pattern = _text(wanted)
    if "contains" in modifiers:
        pattern = f"*{_ended(pattern)}*"
    elif "startswith" in modifiers:
        pattern = _ended(pattern) + "*"
    elif "endswith" in modifiers:
        pattern = "*" + pattern
    variants = [pattern]
    if "windash" in modifiers:
        variants = _dashes(pattern)
    flags = re.NOFLAG if "cased" in modifiers else re.IGNORECASE
    return any(_glob(variant, flags).fullmatch(text) for variant in variants)


def _ended(pattern: str) -> str:
    """A backslash that ends a value stands for itself; it does not take the meaning of a wildcard that a modifier adds."""
    last = len(pattern) - len(pattern.rstrip("\\"))
    return pattern + "\\" if last % 2 else pattern


_COMPARE: dict[str, Any] = {
    "lte": lambda a, b: a <= b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
}


def _dashes(pattern: str) -> list[str]:
    variants = [""]
    for position, char in enumerate(pattern):
        before, after = pattern[position - 1 : position], pattern[position + 1 : position + 2]
        opens = char in "-/" and not re.fullmatch(r"\w", before) and re.fullmatch(r"\w", after)
        choices = "-/\u2013\u2014\u2015" if opens else char
        variants = [variant + choice for variant in variants for choice in choices]
    return variants


def _glob(pattern: str, flags: int) -> re.Pattern[str]:
    """Sigma's wildcards as a regular expression: ``\\`` before ``*``, ``?`` or ``\\`` takes their meaning away."""
    parts = []
    position = 0
    while position < len(pattern):
        char, following = pattern[position], pattern[position + 1 : position + 2]
        if char == "\\" and following and following in "*?\\":
            parts.append(re.escape(following))
            position += 1
        elif char == "*":
            parts.append(".*")
        elif char == "?":
            parts.append(".")
        else:
            parts.append(re.escape(char))
        position += 1
    return re.compile("".join(parts), flags | re.DOTALL)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
