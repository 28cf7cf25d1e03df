"""What JSON each property of each object of CACAO 2.0 is: the one table that reading and checking go by.

``SHAPES`` maps the name of an object to its properties. The value of a property is a kind of KINDS, a kind after ``*`` for a list
of it, after ``%`` for a dictionary of it, or the name of an object. ``any`` is not looked into (extensions define themselves).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from playbooks.vocabulary import STEP_TYPES

Shape = Mapping[str, str]
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "a text"),
    "flag": ((bool,), "true or false"),
    "whole": ((int,), "a whole number"),
    "object": ((dict,), "an object"),
    "any": ((object,), "anything"),
    "value": ((str, dict, int, float, bool, type(None)), "a text, an object or null"),
    "place": ((str, int), "a text"),
}
"""Kind to types of Python, and what a person is told. ``value`` is that of a variable, ``place`` an address (VLANs are numbers)."""

_STEP = {
    "type": "text",
    "name": "text",
    "description": "text",
    "external_references": "*external-reference",
    "delay": "whole",
    "timeout": "whole",
    "step_variables": "%variable",
    "owner": "text",
    "on_completion": "text",
    "on_success": "text",
    "on_failure": "text",
    "step_extensions": "object",
}
_COMMAND = {
    "type": "text",
    "description": "text",
    "version": "text",
    "playbook_activity": "text",
    "external_references": "*external-reference",
}
_TEXT_COMMAND = {**_COMMAND, "command": "text", "command_b64": "text"}
_PARTY = {
    "type": "text",
    "name": "text",
    "description": "text",
    "location": "civic-location",
    "agent_target_extensions": "object",
}
_MACHINE = {**_PARTY, "address": "%*place", "port": "text", "authentication_info": "text", "category": "*text"}
_AUTHENTICATION = {
    "type": "text",
    "name": "text",
    "description": "text",
    "authentication_info_extensions": "object",
    "kms": "flag",
    "kms_key_identifier": "text",
}
_MARKING = {
    "type": "text",
    "id": "text",
    "name": "text",
    "description": "text",
    "created_by": "text",
    "created": "text",
    "revoked": "flag",
    "valid_from": "text",
    "valid_until": "text",
    "labels": "*text",
    "external_references": "*external-reference",
    "marking_extensions": "object",
}

SHAPES: dict[str, Shape] = {
    "playbook": {
        "type": "text",
        "spec_version": "text",
        "id": "text",
        "name": "text",
        "description": "text",
        "playbook_types": "*text",
        "playbook_activities": "*text",
        "playbook_processing_summary": "playbook-processing-summary",
        "created_by": "text",
        "created": "text",
        "modified": "text",
        "revoked": "flag",
        "valid_from": "text",
        "valid_until": "text",
        "derived_from": "*text",
        "related_to": "*text",
        "priority": "whole",
        "severity": "whole",
        "impact": "whole",
        "industry_sectors": "*text",
        "labels": "*text",
        "external_references": "*external-reference",
        "markings": "*text",
        "playbook_variables": "%variable",
        "workflow_start": "text",
        "workflow_exception": "text",
        "workflow": "%step",
        "playbook_extensions": "object",
        "authentication_info_definitions": "%authentication",
        "agent_definitions": "%party",
        "target_definitions": "%party",
        "extension_definitions": "%extension-definition",
        "data_marking_definitions": "%marking",
        "signatures": "*signature",
    },
    "start": _STEP,
    "end": _STEP,
    "action": {
        **_STEP,
        "commands": "*command",
        "agent": "text",
        "targets": "*text",
        "in_args": "*text",
        "out_args": "*text",
    },
    "playbook-action": {
        **_STEP,
        "playbook_id": "text",
        "playbook_version": "text",
        "in_args": "*text",
        "out_args": "*text",
    },
    "parallel": {**_STEP, "next_steps": "*text"},
    "if-condition": {**_STEP, "condition": "text", "on_true": "text", "on_false": "text"},
    "while-condition": {**_STEP, "condition": "text", "on_true": "text"},
    "switch-condition": {**_STEP, "switch": "text", "cases": "%text"},
    "command": {**_TEXT_COMMAND, "headers": "%*text", "content": "text", "content_b64": "text"},
    "command manual": _TEXT_COMMAND,
    "command bash": _TEXT_COMMAND,
    "command caldera-cmd": _TEXT_COMMAND,
    "command powershell": _TEXT_COMMAND,
    "command ssh": _TEXT_COMMAND,
    "command http-api": {**_COMMAND, "command": "text", "headers": "%*text", "content": "text", "content_b64": "text"},
    "command openc2-http": {**_COMMAND, "command": "text", "headers": "%*text", "content_b64": "text"},
    "command elastic": _TEXT_COMMAND,
    "command jupyter": {**_COMMAND, "command_b64": "text"},
    "command kestrel": {**_COMMAND, "command_b64": "text"},
    "command sigma": _TEXT_COMMAND,
    "command yara": _TEXT_COMMAND,
    "party": {**_MACHINE, "contact": "contact", "sector": "text"},
    "party group": {**_PARTY, "contact": "contact"},
    "party individual": {**_PARTY, "contact": "contact"},
    "party organization": {**_PARTY, "contact": "contact"},
    "party location": {**_PARTY, "logical": "*text"},
    "party sector": {**_PARTY, "sector": "text"},
    "party http-api": _MACHINE,
    "party linux": _MACHINE,
    "party net-address": _MACHINE,
    "party ssh": _MACHINE,
    "party security-category": {**_PARTY, "category": "*text"},
    "authentication": {
        **_AUTHENTICATION,
        "user_id": "text",
        "username": "text",
        "password": "text",
        "oauth_header": "text",
        "token": "text",
    },
    "authentication http-basic": {**_AUTHENTICATION, "user_id": "text", "password": "text"},
    "authentication oauth2": {**_AUTHENTICATION, "oauth_header": "text", "token": "text"},
    "authentication user-auth": {**_AUTHENTICATION, "username": "text", "password": "text"},
    "variable": {"type": "text", "description": "text", "value": "value", "constant": "flag", "external": "flag"},
    "external-reference": {
        "name": "text",
        "description": "text",
        "source": "text",
        "url": "text",
        "external_id": "text",
        "reference_id": "text",
    },
    "contact": {"email": "%text", "phone": "%text", "contact_details": "text"},
    "civic-location": {
        "name": "text",
        "description": "text",
        "building_details": "text",
        "network_details": "text",
        "region": "text",
        "country": "text",
        "administrative_area": "text",
        "city": "text",
        "street_address": "text",
        "postal_code": "text",
        "latitude": "any",
        "longitude": "any",
        "precision": "any",
    },
    "playbook-processing-summary": dict.fromkeys(
        (
            "manual_playbook",
            "external_playbooks",
            "parallel_processing",
            "if_logic",
            "while_logic",
            "switch_logic",
            "temporal_logic",
            "data_markings",
            "digital_signatures",
            "countersigned_signatures",
            "extensions",
        ),
        "flag",
    ),
    "extension-definition": {
        "type": "text",
        "name": "text",
        "description": "text",
        "created_by": "text",
        "schema": "text",
        "version": "text",
        "external_references": "*external-reference",
    },
    "marking": {**_MARKING, "tlpv2_level": "text", "statement": "text"},
    "marking marking-tlp": {**_MARKING, "tlpv2_level": "text"},
    "marking marking-statement": {**_MARKING, "statement": "text"},
    "marking marking-iep": {
        **_MARKING,
        "tlp": "text",
        "iep_version": "whole",
        "start_date": "text",
        "end_date": "any",
        "encrypt_in_transit": "text",
        "permitted_actions": "text",
        "affected_party_notifications": "text",
        "attribution": "text",
        "unmodified_resale": "text",
        "external_references": "*any",
    },
    "signature": {
        "type": "text",
        "id": "text",
        "created_by": "text",
        "created": "text",
        "modified": "text",
        "revoked": "flag",
        "signee": "text",
        "valid_from": "text",
        "valid_until": "text",
        "related_to": "text",
        "related_version": "text",
        "hash_algorithm": "text",
        "algorithm": "text",
        "public_key": "text",
        "public_cert_chain": "*text",
        "cert_url": "text",
        "thumbprint": "text",
        "value": "text",
        "signature": "signature",
    },
}
_BY_TYPE = frozenset({"command", "party", "authentication", "marking"})
"""Objects whose properties depend on their ``type``."""


class Found(NamedTuple):
    """An object of the document: where it stands, the step around it, the name of its shape, and itself.

    ``known`` is False for an object whose ``type`` the standard does not list: what it may hold nobody can say.
    """

    path: str
    step: str
    shape: str
    raw: dict[str, Any]
    known: bool = True


class Mismatch(NamedTuple):
    """A value that is not the JSON its property wants."""

    path: str
    step: str
    wanted: str
    value: Any


def walk(document: dict[str, Any]) -> list[Found | Mismatch]:
    """Every object of a document that has a shape, in its order, and every value that does not fit its property."""
    found: list[Found | Mismatch] = []
    _object(document, "playbook", "", "", found)
    return found


def _object(raw: dict[str, Any], shape: str, path: str, step: str, found: list[Found | Mismatch]) -> None:
    name, known = _shape_of(raw, shape)
    found.append(Found(path, step, name, raw, known))
    properties = SHAPES[name]
    for key, value in raw.items():
        kind = properties.get(key)
        if kind is not None and not (kind == "text" and isinstance(value, str)):
            _value(value, kind, f"{path}.{key}" if path else key, step, found)


def _shape_of(raw: dict[str, Any], shape: str) -> tuple[str, bool]:
    own = raw.get("type")
    if shape == "step":
        return str(own), True  # other kinds have no place in a workflow: _value says so
    if shape in _BY_TYPE:
        name = f"{shape} {own}"
        return (name, True) if name in SHAPES else (shape, False)
    return shape, True


def _is_step(kind: Any) -> bool:
    return isinstance(kind, str) and kind in STEP_TYPES


def _value(value: Any, kind: str, path: str, step: str, found: list[Found | Mismatch]) -> None:
    if kind[0] == "*":
        if not isinstance(value, list):
            found.append(Mismatch(path, step, "a list", value))
            return
        for place, one in enumerate(value):
            _value(one, kind[1:], f"{path}[{place}]", step, found)
    elif kind[0] == "%":
        if not isinstance(value, dict):
            found.append(Mismatch(path, step, "an object", value))
            return
        for key, one in value.items():
            _value(one, kind[1:], f"{path}.{key}", key if kind == "%step" else step, found)
    elif kind in KINDS:
        types, wanted = KINDS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types and kind != "any"):
            found.append(Mismatch(path, step, wanted, value))
    elif not isinstance(value, dict):
        found.append(Mismatch(path, step, "an object", value))
    elif kind == "step" and not _is_step(value.get("type")):
        found.append(Mismatch(path, step, "a kind of step", value.get("type")))
    else:
        _object(value, kind, path, step, found)
