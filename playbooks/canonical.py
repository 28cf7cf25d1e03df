"""The one text of a JSON value that is signed: JSON Canonicalization Scheme, RFC 8785.

Invariants: no white space; keys ordered by their UTF-16 code units (3.2.3); text escaped as ECMAScript does (3.2.2.2); numbers as
ECMAScript writes a double (3.2.2.3). Whole numbers that a double cannot hold are refused instead of changed.

    >>> canonical({"b": 1.0, "a": "\\u20ac"}).decode()
    '{"a":"€","b":1}'
"""

from __future__ import annotations

import json
import math
from typing import Any

LARGEST_WHOLE = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The octets. Raises ValueError for what I-JSON cannot express: too large numbers, lone surrogates, NaN."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, dict):
        parts.append("{")
        for place, key in enumerate(sorted(value, key=_utf16)):
            parts.append(("," if place else "") + _text(key) + ":")
            _write(value[key], parts)
        parts.append("}")
    elif isinstance(value, list):
        parts.append("[")
        for place, one in enumerate(value):
            if place:
                parts.append(",")
            _write(one, parts)
        parts.append("]")
    else:
        parts.append(_scalar(value))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        if abs(value) > LARGEST_WHOLE:
            raise ValueError(f"the number {value} is larger than 2^53 - 1: write it as text")
        return str(value)
    if isinstance(value, float):
        return number(value)
    raise ValueError(f"{type(value).__name__} is no JSON")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """A double as ECMAScript's Number::toString writes it. Raises ValueError for infinity and NaN."""
    if not math.isfinite(value):
        raise ValueError("infinity and NaN are no numbers of JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or "0") - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """``digits`` with the decimal point before the digit number ``point`` (ECMA-262, Number::toString, steps 6 to 10)."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
