"""The OpenAPI description as something to read: addresses by subject, with what they take, answer and ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
}


class Kind(msgspec.Struct, frozen=True):
    """Of a value: ``words`` as ``list of``, then the name of a ``shape`` ("" = none)."""

    words: str
    shape: str = ""


class Field(msgspec.Struct, frozen=True):
    """``where`` is path, query or header for a parameter; ``limits`` as ``at most 64 characters``."""

    name: str
    kind: Kind
    required: bool
    description: str
    limits: str
    where: str = ""


class Operation(msgspec.Struct, frozen=True):
    """One method of one address. ``answers``: status, what it means, its shape."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    permission: str
    parameters: list[Field]
    body: Kind | None
    fields: list[Field]
    answers: list[tuple[str, str, Kind]]


def operations(spec: Mapping[str, Any], permissions: Mapping[str, str]) -> dict[str, list[Operation]]:
    """Subject → its operations, each sorted. ``permissions``: operation id → what it needs."""
    found: dict[str, list[Operation]] = {}
    for path, item in sorted(spec["paths"].items()):
        for method, told in item.items():
            body = _content(told.get("requestBody", {}))
            made = Operation(
                id=told["operationId"],
                method=method.upper(),
                path=path,
                summary=told.get("summary", ""),
                description=told.get("description", ""),
                permission=permissions.get(told["operationId"], ""),
                parameters=[_parameter(one) for one in told.get("parameters", [])],
                body=_kind(body) if body else None,
                fields=list(_fields(_followed(spec, body))) if body else [],
                answers=[(status, one.get("description", ""), _kind(_content(one))) for status, one in told["responses"].items()],
            )
            found.setdefault(told["tags"][0], []).append(made)
    return dict(sorted(found.items()))


def shapes(spec: Mapping[str, Any]) -> dict[str, list[Field]]:
    """Name → fields of everything that is sent or answered."""
    return {name: list(_fields(shape)) for name, shape in sorted(spec["components"]["schemas"].items())}


def _content(part: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a body or an answer; {} where it has none."""
    content = next(iter(part.get("content", {}).values()), {})
    schema: dict[str, Any] = content.get("schema", {})
    return schema


def _followed(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(schema)
    shape: Mapping[str, Any] = spec["components"]["schemas"][name] if name else schema
    return shape


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _parameter(told: Mapping[str, Any]) -> Field:
    schema = told.get("schema", {})
    return Field(
        told["name"], _kind(schema), bool(told.get("required")), told.get("description", ""), _limits(schema), told.get("in", "")
    )


def _fields(shape: Mapping[str, Any]) -> Iterator[Field]:
    needed = shape.get("required", ())
    for name, schema in shape.get("properties", {}).items():
        yield Field(name, _kind(schema), name in needed, schema.get("description", ""), _limits(schema))


def _kind(schema: Mapping[str, Any]) -> Kind:
    """In words; of alternatives the first that has a shape is the one to follow."""
    if "$ref" in schema:
        return Kind("", _name(schema))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            kinds = [_kind(one) for one in schema[several]]
            shape = next((one for one in kinds if one.shape), None)
            others = [one.words for one in kinds if one is not shape and one.words]
            return Kind(" or ".join(others) + (" or " if others and shape else ""), shape.shape if shape else "")
    if "enum" in schema:
        return Kind(" | ".join('""' if one == "" else "null" if one is None else str(one) for one in schema["enum"]))
    kind = schema.get("type", "")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "array" in words and "items" in schema:
        inner = _kind(schema["items"])
        return Kind(f"list of {inner.words}", inner.shape)
    if "object" in words and isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
        inner = _kind(schema["additionalProperties"])
        return Kind(f"map to {inner.words or ('' if inner.shape else 'any')}", inner.shape)
    return Kind(words)


def _limits(schema: Mapping[str, Any]) -> str:
    """Limits and what holds where it is left out."""
    words = [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]
    if "default" in schema and schema["default"] not in ("", None, [], {}):
        words.append(f"else {schema['default']}")
    return re.sub(r"from (\S+), to ", r"\1 to ", ", ".join(words))
