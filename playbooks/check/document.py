"""What describes the playbook: identifiers, times, validity, numbers, markings and extensions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from playbooks.check.report import Report
from playbooks.extension import EXTENSION
from playbooks.model import Json, Playbook
from playbooks.shapes import Found
from playbooks.timestamps import is_of_milliseconds, read_timestamp
from playbooks.vocabulary import MARKINGS, kind_of

_TIMES = ("created", "modified", "valid_from", "valid_until", "related_version", "playbook_version")
_TLP = ("TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR")
_FORM = "kind--UUID, for example identity--" + "3b1c6a52-6c55-4f4e-9d0a-1d8f6d2b9a10"
_TIME_FORM = "2026-11-27T06:30:00.000Z"


def check_document(playbook: Playbook, objects: Sequence[Found], report: Report, now: datetime) -> None:
    raw = playbook.raw
    _identifier(raw, "id", ("playbook",), report)
    _identifiers(raw, report)
    for name in ("priority", "severity", "impact"):
        if not 0 <= getattr(playbook, name) <= 100:
            report.wrong(name, f"{name} is a number from 0 to 100", "correct it")
    for found in objects:
        _times(found, report)
    if playbook.playbook_types and not playbook.playbook_activities:
        report.doubtful("playbook_activities", "a playbook with playbook_types says its activities, too", "add them")
    _validity(playbook, report, now)
    _extensions(playbook, report)
    _markings(playbook, report)


def _identifiers(raw: Json, report: Report) -> None:
    _identifier(raw, "created_by", ("identity",), report)
    _identifier(raw, "workflow_start", (), report)
    _identifier(raw, "workflow_exception", (), report)
    for name in ("derived_from", "related_to", "markings"):
        for place, one in enumerate(raw.get(name, ())):
            if not kind_of(one) or (name == "derived_from" and kind_of(one) != "playbook"):
                report.wrong(f"{name}[{place}]", f"{one[:80]!r} is no identifier", _FORM)
    for key, step in raw.get("workflow", {}).items():
        if step.get("owner") and kind_of(step["owner"]) != "identity":
            report.wrong(f"workflow.{key}.owner", f"{step['owner'][:80]!r} is no identifier of an identity", _FORM, key)


def _identifier(raw: Json, name: str, kinds: tuple[str, ...], report: Report) -> None:
    value = raw.get(name)
    if not value:
        return  # said where properties are looked at
    kind = kind_of(value)
    if not kind:
        report.wrong(name, f"{value[:80]!r} is no identifier", _FORM)
    elif kinds and kind not in kinds:
        report.wrong(name, f"{value[:80]!r} is an identifier of the kind {kind}", f"{kinds[0]}--UUID is wanted")


def _times(found: Found, report: Report) -> None:
    moments: dict[str, datetime] = {}
    for name in _TIMES:
        text = found.raw.get(name)
        if not isinstance(text, str) or not text:
            continue
        path = f"{found.path}.{name}" if found.path else name
        try:
            moments[name] = read_timestamp(text)
        except ValueError as error:
            report.wrong(path, str(error), f"for example {_TIME_FORM}", found.step)
            continue
        if name in ("created", "modified") and not is_of_milliseconds(text):
            report.doubtful(path, f"{name} has exactly three digits after the second", f"for example {_TIME_FORM}", found.step)
    if "created" in moments and "modified" in moments and moments["modified"] < moments["created"]:
        at = f"{found.path}.modified" if found.path else "modified"
        report.wrong(at, "modified is before created", "correct one of them", found.step)
    if "valid_from" in moments and "valid_until" in moments and moments["valid_until"] <= moments["valid_from"]:
        at = f"{found.path}.valid_until" if found.path else "valid_until"
        report.wrong(at, "valid_until is not after valid_from", "correct one of them", found.step)


def _validity(playbook: Playbook, report: Report, now: datetime) -> None:
    if playbook.revoked:
        report.lacking("revoked", "the playbook is revoked by its maker", "use its successor")
        return
    since, until = _moment(playbook.valid_from), _moment(playbook.valid_until)
    if until is not None and until <= now:
        report.lacking("valid_until", f"the playbook was valid until {playbook.valid_until}", "review it and extend valid_until")
    if since is not None and now < since:
        report.lacking("valid_from", f"the playbook is not valid before {playbook.valid_from}", "wait, or correct valid_from")


def _moment(text: str) -> datetime | None:
    try:
        return read_timestamp(text) if text else None
    except ValueError:
        return None


def _extensions(playbook: Playbook, report: Report) -> None:
    """Every extension in use is defined, and an extension is an object."""
    defined = playbook.extension_definitions
    for key, one in defined.items():
        if kind_of(key) != "extension-definition":
            report.wrong(f"extension_definitions.{key}", f"{key[:80]!r} is no identifier extension-definition--UUID", "give it one")
        if one.get("type") not in (None, "extension-definition"):
            report.wrong(f"extension_definitions.{key}.type", "the type is extension-definition", "correct it")
    uses: list[tuple[str, str, Any]] = [("playbook_extensions", "", playbook.playbook_extensions)]
    uses += [(f"workflow.{key}.step_extensions", key, step.step_extensions) for key, step in playbook.workflow.items()]
    for group in ("agent_definitions", "target_definitions"):
        parties = getattr(playbook, group)
        uses += [(f"{group}.{key}.agent_target_extensions", "", one.agent_target_extensions) for key, one in parties.items()]
    told: set[str] = set()
    for path, step, used in uses:
        for key, content in used.items():
            if key in told:
                continue
            if key not in defined:
                told.add(key)
                if key == EXTENSION:
                    report.doubtful(f"{path}.{key}", "our extension is not defined", "define it, for other executors", step)
                    continue
                report.lacking(f"{path}.{key}", f"the extension {key[:80]!r} is not defined", "define it", step)
            elif not isinstance(content, dict):
                report.wrong(f"{path}.{key}", "an extension is an object", "write its properties into an object", step)


def _markings(playbook: Playbook, report: Report) -> None:
    defined = playbook.data_marking_definitions
    for place, one in enumerate(playbook.markings):
        if one not in defined:
            report.lacking(
                f"markings[{place}]", f"the marking {one[:80]!r} is not defined", "define it in data_marking_definitions"
            )
    for key, marking in defined.items():
        kind = marking.get("type")
        path = f"data_marking_definitions.{key}"
        if kind not in MARKINGS:
            report.wrong(f"{path}.type", f"there is no marking {str(kind)[:60]!r}", "one of " + ", ".join(sorted(MARKINGS)))
        elif kind_of(key) != kind:
            report.wrong(path, f"the key {key[:80]!r} is not of the kind {kind}", f"{kind}--UUID")
        if kind == "marking-tlp" and marking.get("tlpv2_level") not in (None, *_TLP):
            report.wrong(f"{path}.tlpv2_level", "there is no such TLP level", "one of " + ", ".join(_TLP))
