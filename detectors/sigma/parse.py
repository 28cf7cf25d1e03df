"""pySigma's rule objects → our tree (:mod:`detectors.sigma.ast`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.modifiers import SigmaAllModifier, SigmaCaseSensitiveModifier, SigmaRegularExpressionModifier
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from detectors.sigma import encodings
from detectors.sigma.ast import (
    CONTAINS,
    EXACT,
    GLOB,
    KEYWORDS,
    PREFIX,
    SUFFIX,
    Cidr,
    Compare,
    Exists,
    FieldRef,
    Match,
    Node,
    Null,
    Predicate,
    Regex,
    Text,
    TimePart,
    both,
    either,
    negate,
)
from detectors.sigma.regexes import check_regex
from kernel.errors import RuleError

Placeholders = Mapping[str, list[str]]

encodings.register()

_REGEX_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}


def detections_tree(detections: SigmaDetections, placeholders: Placeholders) -> Node:
    """The tree of a rule's (or filter's) conditions; several conditions are alternatives.

    Raises RuleError or pySigma's SigmaError for what has no meaning.
    """
    selections: dict[str, Node] = {}

    def selection(name: str) -> Node:
        if name not in selections:
            if name not in detections.detections:
                raise RuleError(f"condition names '{name}', which the rule does not define")
            selections[name] = _detection(detections.detections[name], name, placeholders)
        return selections[name]

    def condition(part: Any) -> Node:
        if isinstance(part, ConditionIdentifier):
            return selection(part.identifier)
        if isinstance(part, ConditionSelector):
            names = [found.identifier for found in part.resolve_referenced_detections(detections)]
            if not names:
                raise RuleError(f"condition '{part.args[0]} of {part.pattern}' fits none of the rule's search identifiers")
            nodes = [selection(name) for name in names]
            return both(nodes) if part.cond_class is ConditionAND else either(nodes)
        if isinstance(part, ConditionNOT):
            return negate(condition(part.args[0]))
        if isinstance(part, ConditionAND):
            return both([condition(one) for one in part.args])
        if isinstance(part, ConditionOR):
            return either([condition(one) for one in part.args])
        raise RuleError(f"condition part {part!r} is not understood")

    return either([condition(SigmaCondition(text, detections).parse(postprocess=False)) for text in detections.condition])


def _detection(detection: SigmaDetection, name: str, placeholders: Placeholders) -> Node:
    nodes = [
        _detection(part, name, placeholders) if isinstance(part, SigmaDetection) else _item(part, name, placeholders)
        for part in detection.detection_items
    ]
    return both(nodes) if detection.item_linking is ConditionAND else either(nodes)


def _item(item: SigmaDetectionItem, name: str, placeholders: Placeholders) -> Node:
    field = item.field or KEYWORDS
    cased = SigmaCaseSensitiveModifier in item.modifiers
    is_regex = SigmaRegularExpressionModifier in item.modifiers
    written = [_written(value, is_regex) for value in item.original_value or []]
    values = item.value or [SigmaNull()]
    nodes = []
    for number, value in enumerate(values):
        pattern = written[number] if len(written) == len(values) else ", ".join(written)
        nodes.append(_value(value, field, cased, name, pattern, placeholders))
    every = item.value_linking is ConditionAND or SigmaAllModifier in item.modifiers
    node = both(nodes) if every else either(nodes)
    return negate(node) if item.negated else node


def _written(value: Any, is_regex: bool) -> str:
    if is_regex and isinstance(value, SigmaString):
        return str(value.original)  # its text form would escape what are wildcards elsewhere
    if isinstance(value, SigmaRegularExpression):
        return str(value.regexp)
    if isinstance(value, SigmaNull):
        return "null"
    return str(value)


def _value(value: Any, field: str, cased: bool, name: str, pattern: str, placeholders: Placeholders) -> Node:
    if isinstance(value, SigmaExpansion):
        return either([_value(one, field, cased, name, pattern, placeholders) for one in value.values])
    if isinstance(value, (SigmaString, SigmaRegularExpression)) and value.contains_placeholder():
        filled = value.replace_placeholders(lambda placeholder: _fill(placeholder, placeholders))
        return either([_value(one, field, cased, name, pattern, {}) for one in filled])
    predicate = _predicate(value, field, cased)
    if isinstance(predicate, Regex):
        check_regex(predicate.pattern, predicate.flags)
    return Match(field, predicate, name, pattern)


def _fill(placeholder: Placeholder, placeholders: Placeholders) -> Iterator[SigmaString]:
    """Values of a placeholder; wildcards in them mean what they mean in a rule."""
    values = placeholders.get(placeholder.name)
    if not values:
        raise RuleError(f"placeholder {placeholder.name} has no value", "give it one in the configuration")
    yield from map(SigmaString, values)


def _predicate(value: Any, field: str, cased: bool) -> Predicate:
    if isinstance(value, SigmaString):
        return _text(value.s, field, cased)
    if isinstance(value, SigmaTimestampPart):
        return TimePart(value.timestamp_part.name.lower(), int(value.number))
    if isinstance(value, SigmaNumber):
        return Text(CONTAINS if field == KEYWORDS else EXACT, str(value))
    if isinstance(value, SigmaExists):
        return Exists(bool(value))
    if isinstance(value, SigmaBool):
        return Text(CONTAINS if field == KEYWORDS else EXACT, "true" if value else "false")
    if isinstance(value, SigmaNull):
        return Null()
    if isinstance(value, SigmaRegularExpression):
        return Regex(str(value.regexp), "".join(sorted(_REGEX_FLAGS[flag] for flag in value.flags)))
    if isinstance(value, SigmaCIDRExpression):
        return Cidr(str(value.network))
    if isinstance(value, SigmaCompareExpression):
        return Compare(value.op.name.lower(), float(value.number.number))
    if isinstance(value, SigmaFieldReference):
        return FieldRef(value.field, value.starts_with, value.ends_with)
    raise RuleError(f"a value of type {type(value).__name__} is not understood")


def _text(parts: Any, field: str, cased: bool) -> Text:
    pieces: list[str] = []
    for part in parts:
        piece = ("=" + (part if cased else part.lower())) if isinstance(part, str) else _WILDCARDS[part]
        if piece == "*" and pieces and pieces[-1] == "*":
            continue
        if piece[0] == "=" and pieces and pieces[-1][0] == "=":
            pieces[-1] += piece[1:]
        elif piece != "=":
            pieces.append(piece)
    if field == KEYWORDS:  # a keyword is looked for anywhere in a value
        pieces = [*(["*"] if pieces[:1] != ["*"] else []), *pieces, *(["*"] if pieces[-1:] != ["*"] else [])]
    literals = [piece[1:] for piece in pieces if piece[0] == "="]
    shape = "".join(piece[0] for piece in pieces)
    kind = {"": EXACT, "=": EXACT, "=*": PREFIX, "*=": SUFFIX, "*=*": CONTAINS, "*": CONTAINS, "**": CONTAINS}.get(shape, GLOB)
    if kind == GLOB:
        return Text(GLOB, max(literals, key=len, default=""), cased, tuple(pieces))
    return Text(kind, literals[0] if literals else "", cased)


_WILDCARDS = {SpecialChars.WILDCARD_MULTI: "*", SpecialChars.WILDCARD_SINGLE: "?"}
