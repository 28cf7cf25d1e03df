"""What an applicant filled in, checked against the form of the service. What the form does not have is refused, not ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operations.errors import Invalid
from operations.services.catalogue import Field, Service
from operations.written import text

_MAX_ENTRY = 128
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def check(service: Service, given: Mapping[str, Any], zones: frozenset[str], own: frozenset[str] | None) -> dict[str, Any]:
    """The values as they are stored. Raises Invalid with the field.

    zones  ids of the plan;  own  those of the applicant, None = every zone
    """
    unknown = sorted(set(given) - {field.name for field in service.fields})
    if unknown:
        raise Invalid(f"the form has no field {str(unknown[0])[:40]!r}", field=str(unknown[0])[:40])
    return {field.name: _value(field, given.get(field.name), zones, own) for field in service.fields}


def _value(field: Field, value: Any, zones: frozenset[str], own: frozenset[str] | None) -> Any:
    if field.kind == "number":
        return _number(field, value)
    if field.kind == "lines":
        return _lines(field, value)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{field.name} is a text", field=field.name)
    written = text(value or "", field.name, field.most, needed=field.needed)
    if field.kind in ("line", "zone", "choice") and _CONTROL.search(written):
        raise Invalid(f"{field.name} is one line", field=field.name)
    if field.kind == "choice" and written and written not in field.choices:
        raise Invalid(f"{field.name}: one of {', '.join(field.choices)}", field=field.name)
    if field.kind == "zone" and written:
        allowed = zones if own is None or not field.own else own & zones
        if written not in allowed:
            raise Invalid(
                f"{field.name}: there is no such zone of yours" if field.own else "there is no such zone", field=field.name
            )
    return written


def _number(field: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not field.least <= value <= field.most:
        raise Invalid(f"{field.name} is a whole number from {field.least} to {field.most}", field=field.name)
    return value


def _lines(field: Field, value: Any) -> list[str]:
    entries = re.split(r"[\s,，、;；]+", value) if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(one, str) for one in entries):
        raise Invalid(f"{field.name} is a list of texts", field=field.name)
    found = list(dict.fromkeys(one.strip() for one in entries if one.strip()))
    if field.needed and not found:
        raise Invalid(f"{field.name} is missing", field=field.name)
    if any(one != one.encode("utf-8", "replace").decode() for one in found):
        raise Invalid(f"{field.name} is not valid Unicode text", field=field.name)
    if len(found) > field.most or any(len(one) > _MAX_ENTRY or _CONTROL.search(one) for one in found):
        raise Invalid(f"{field.name}: at most {field.most} entries of {_MAX_ENTRY} characters", field=field.name)
    return found
