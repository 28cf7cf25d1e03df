"""The ``correlation`` section of a rule (Sigma specification 2.0, "Sigma correlation rules specification")."""

from __future__ import annotations

import re
from typing import Any

from pyparsing import ParseException
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)

from detectors.sigma.rule import CorrelationSpec
from kernel.errors import RuleError

COUNTING = ("event_count", "value_count")
NUMERIC = ("value_sum", "value_avg", "value_percentile", "value_median")
TEMPORAL = ("temporal", "temporal_ordered")
TYPES = COUNTING + NUMERIC + TEMPORAL
OPERATORS = ("gt", "gte", "lt", "lte", "eq", "neq")

_TIMESPAN = re.compile(r"(\d+)\s*([smhdwMy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2629746, "y": 31556952}
_KNOWN = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}


def parse_correlation(section: Any) -> CorrelationSpec:
    """Checked form of the section. Raises RuleError saying what is wrong."""
    if not isinstance(section, dict):
        raise RuleError("the correlation section is no mapping")
    unknown = sorted(set(map(str, section)) - _KNOWN)
    if unknown:
        raise RuleError(f"correlation has an unknown key '{unknown[0]}'")
    kind = section.get("type")
    if kind not in TYPES:
        raise RuleError(f"correlation type '{kind}' is none of {', '.join(TYPES)}")
    condition = section.get("condition")
    expression: list[object] = []
    names = _names(section.get("rules"), "rules")
    if isinstance(condition, str):
        if kind not in TEMPORAL:
            raise RuleError("correlation condition written as an expression fits only temporal types")
        expression, mentioned = _expression(condition)
        names = names or mentioned
    if not names:
        raise RuleError("correlation names no rules")
    op, count = _threshold(condition, kind, len(names))
    fields = _names(condition.get("field"), "field") if isinstance(condition, dict) else []
    if kind in (*NUMERIC, "value_count") and not fields:
        raise RuleError(f"correlation type {kind} needs 'field' in its condition")
    percentile = condition.get("percentile", 50) if isinstance(condition, dict) else 50
    if not isinstance(percentile, (int, float)) or not 0 <= percentile <= 100:
        raise RuleError(f"correlation percentile '{percentile}' is not between 0 and 100")
    return CorrelationSpec(
        type=kind,
        rules=tuple(names),
        group_by=tuple(_names(section.get("group-by"), "group-by")),
        seconds=_timespan(section.get("timespan")),
        op=op,
        count=count,
        fields=tuple(fields),
        percentile=float(percentile),
        aliases=_aliases(section.get("aliases")),
        generate=_boolean(section.get("generate", False)),
        expression=expression,
    )


def _names(value: Any, key: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, (str, int)) for one in value):
        return [str(one) for one in value]
    raise RuleError(f"correlation '{key}' must be a name or a list of names")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RuleError("correlation 'generate' must be true or false")
    return value


def _timespan(value: Any) -> float:
    match = _TIMESPAN.fullmatch(str(value).strip()) if value is not None else None
    if match is None or not int(match[1]):
        raise RuleError(f"correlation timespan '{value}' is not a number and one of s, m, h, d, w, M, y")
    return float(int(match[1]) * _SECONDS[match[2]])


def _threshold(condition: Any, kind: str, rules: int) -> tuple[str, float]:
    if kind in TEMPORAL and not isinstance(condition, dict):
        return "gte", float(rules)
    if not isinstance(condition, dict):
        raise RuleError("correlation has no condition (such as 'gte: 10')")
    found = [(op, condition[op]) for op in OPERATORS if op in condition]
    unknown = sorted(set(condition) - set(OPERATORS) - {"field", "percentile"})
    if len(found) != 1 or unknown:
        raise RuleError(f"correlation condition must have exactly one of {', '.join(OPERATORS)}")
    op, count = found[0]
    if isinstance(count, bool) or not isinstance(count, (int, float)):
        raise RuleError(f"correlation condition '{op}' must be a number")
    return op, float(count)


def _aliases(value: Any) -> dict[str, dict[str, str]]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(mapping, dict) for mapping in value.values()):
        raise RuleError("correlation aliases must map an alias to rules and their fields")
    return {str(alias): {str(rule): str(field) for rule, field in mapping.items()} for alias, mapping in value.items()}


def _expression(text: str) -> tuple[list[object], list[str]]:
    try:
        parsed = SigmaExtendedCorrelationCondition.parse(text)
    except ParseException as error:
        raise RuleError(f"correlation condition '{text}' cannot be read: {error}") from error
    names: list[str] = []

    def walk(node: Any) -> list[object]:
        if isinstance(node, SigmaRuleReference):
            if node.reference not in names:
                names.append(node.reference)
            return ["rule", node.reference]
        word = {CorrelationConditionAND: "and", CorrelationConditionOR: "or", CorrelationConditionNOT: "not"}[type(node)]
        return [word, *(walk(one) for one in node.args)]

    return walk(parsed), names
