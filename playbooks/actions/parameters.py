"""What our own commands (``liandun-…``) are told: one table that checking a playbook and carrying a command out both go by.

A command has its parameters as a JSON object in ``parameters``; each text in it may use variables, which are put in text by text,
so no value can become anything else than a value:

    {"type": "liandun-ticket", "parameters": {"title": "核查主机 __host__:value", "level": "high", "alert": "__alert_id__:value"}}

A number may stand as a number or as text, since variables are texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from playbooks.actions import query_parameters as query
from playbooks.actions import system_parameters as system
from playbooks.actions.parameter_base import AbsolutePath, Parameters
from playbooks.references import names_within

PROPERTY = "parameters"
_Level = Literal["low", "medium", "high", "critical"]
_Id = Annotated[int, msgspec.Meta(ge=1)]
_IdOrNone = Annotated[int, msgspec.Meta(ge=0)]
"""0 is "none": a variable that has no number yet says so."""
_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=10_000)]
_Needed = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
_Names = Annotated[list[str], msgspec.Meta(max_length=64)]


class TicketParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket to a bureau ("" = to the operator). ``due_hours`` from now; empty names of zones are left out."""

    words = frozenset({"title", "body"})
    title: _Line
    body: _Text = ""
    kind: Literal["remediation", "notification"] = "remediation"
    level: _Level = "medium"
    bureau: str = ""
    assignee: str = ""
    due_hours: Annotated[int, msgspec.Meta(ge=1, le=8760)] | None = None
    zones: _Names = []
    alert: _IdOrNone = 0
    incident: _IdOrNone = 0
    warning: _IdOrNone = 0


class IndicatorAddParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value to watch for. ``kind`` "" = guessed from the value; ``days`` it holds, None = usual for its kind."""

    words = frozenset({"note"})
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    kind: Literal["", "address", "network", "domain", "url", "hash", "email"] = ""
    confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] = 75
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    tlp: Literal["", "clear", "green", "amber", "amber+strict", "red"] = ""
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    reference: Annotated[str, msgspec.Meta(max_length=500)] = ""


class IndicatorRevokeParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Watch no more for what ``liandun-indicator-add`` added in this run."""

    words = frozenset({"reason"})
    indicator: _Id
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class WarningDraftParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of a warning (GB/T 32924): people complete and approve it. ``level`` "" = as the matrix says."""

    words = frozenset({"title", "nature", "threat", "extent", "objects", "effect", "measures"})
    title: _Line
    importance: Literal["general", "important", "special"] = "general"
    harm: Literal["general", "large", "severe", "extreme"] = "general"
    level: Literal["", "blue", "yellow", "orange", "red"] = ""
    nature: _Text = ""
    threat: _Text = ""
    extent: _Text = ""
    objects: _Text = ""
    effect: _Text = ""
    measures: _Text = ""
    organisations: _Names = []
    zones: _Names = []
    alert: _IdOrNone = 0


class WarningDiscardParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Throw away what ``liandun-warning-draft`` made in this run, as long as it is a draft."""

    words = frozenset({"reason"})
    warning: _Id
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class IncidentNoteParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line in the timeline of an incident."""

    words = frozenset({"text"})
    incident: _Id
    text: _Needed
    kind: Literal["note", "decision"] = "note"


class EvidencePacketsParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The packets between source and destination of an alert, as evidence of an incident."""

    words = frozenset({"reason"})
    alert: _Id
    incident: _Id
    reason: _Line


class EvidenceHostParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Volatile data of the target, and ``files`` (absolute paths; empty ones are left out), as evidence of an incident."""

    words = frozenset({"reason"})
    incident: _Id
    reason: _Line
    volatile: bool = True
    files: Annotated[list[AbsolutePath], msgspec.Meta(max_length=64)] = []


class AlertStatusParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another status of an alert; ``verdict`` and ``assignee`` "" = stay."""

    words = frozenset({"note"})
    alert: _Id
    status: Literal["new", "acknowledged", "in_progress", "closed"]
    verdict: Literal["", "true_positive", "false_positive", "benign"] = ""
    assignee: str = ""
    note: _Text = ""


class NotifyParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to every webhook target that takes it by level and rules; ``level`` "" = passes every least level. ``zones`` and
    ``organisations`` are whom it concerns: targets may be routed by them."""

    words = frozenset({"subject", "text"})
    subject: _Line
    text: _Text = ""
    level: Literal["", "informational", "low", "medium", "high", "critical"] = ""
    zones: _Names = []
    organisations: _Names = []
    alert: _IdOrNone = 0
    incident: _IdOrNone = 0
    ticket: _IdOrNone = 0
    warning: _IdOrNone = 0


class Terms(NamedTuple):
    """What a command takes, and the names of the values that it gives back."""

    takes: type[Parameters]
    gives: tuple[str, ...] = ()


TERMS: dict[str, Terms] = {
    "liandun-ticket": Terms(TicketParameters, ("ticket_id",)),
    "liandun-indicator-add": Terms(IndicatorAddParameters, ("indicator_id",)),
    "liandun-indicator-revoke": Terms(IndicatorRevokeParameters),
    "liandun-warning-draft": Terms(WarningDraftParameters, ("warning_id",)),
    "liandun-warning-discard": Terms(WarningDiscardParameters),
    "liandun-incident-note": Terms(IncidentNoteParameters, ("incident_number",)),
    "liandun-evidence-packets": Terms(EvidencePacketsParameters, ("evidence_id", "evidence_sm3")),
    "liandun-evidence-host": Terms(EvidenceHostParameters, ("evidence_id", "evidence_sm3", "evidence_lacking")),
    "liandun-alert-status": Terms(AlertStatusParameters, ("alert_status_before",)),
    "liandun-notify": Terms(NotifyParameters, ("notified",)),
    "liandun-nft-block": Terms(system.NftBlockParameters, ("blocked", "blocked_until", "block_state")),
    "liandun-nft-unblock": Terms(system.NftUnblockParameters, ("unblocked",)),
    "liandun-host-isolate": Terms(system.HostIsolateParameters, ("isolated_until", "isolate_state")),
    "liandun-host-release": Terms(system.HostReleaseParameters, ("released",)),
    "liandun-sinkhole-add": Terms(system.SinkholeAddParameters, ("diverted", "divert_state")),
    "liandun-sinkhole-remove": Terms(system.SinkholeRemoveParameters, ("undiverted",)),
    "liandun-account-disable": Terms(system.AccountDisableParameters, ("account_name", "account_before")),
    "liandun-account-enable": Terms(system.AccountEnableParameters, ("account_name",)),
}
LOOKING: dict[str, Terms] = {
    "elastic": Terms(query.ElasticParameters, ("hits", "took")),
    "sigma": Terms(query.SigmaParameters, ("matches", "events", "event_ids", "hosts", "users", "addresses", "first", "last")),
    "yara": Terms(query.YaraParameters, ("matches", "found", "rules", "files", "scanned", "not_read", "unread")),
}
"""Commands of the standard that only look: they change nothing, wherever they go, and may be repeated at will."""


class Mistake(NamedTuple):
    """``path`` is within the command. ``lacking``: nothing is wrong with what stands there, something is not there yet."""

    path: str
    message: str
    hint: str
    lacking: bool = False


def words_of(kind: str) -> frozenset[str]:
    """The parameters of commands of this kind that only people read; none for a kind that is not ours."""
    return TERMS[kind].takes.words if kind in TERMS else frozenset()


def read_parameters(kind: str, more: Mapping[str, Any]) -> Parameters:
    """The parameters of a command whose variables have been replaced. Raises ValueError, KeyError for a kind that is not ours."""
    try:
        return msgspec.convert(more.get(PROPERTY, {}), _terms(kind).takes, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(_plain(error)) from error


def mistakes(kind: str, more: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with the parameters of a command as it is written. A text that uses a variable may be anything yet."""
    for name in sorted(more.keys() - {PROPERTY}):
        yield Mistake(name[:80], f"there is no property {name[:60]!r} of a {kind} command", f"put it into {PROPERTY}")
    given = more.get(PROPERTY, {})
    if not isinstance(given, dict):
        yield Mistake(PROPERTY, "the parameters are an object", f'"{PROPERTY}": {{…}}')
        return
    fields = {field.name: field for field in msgspec.structs.fields(_terms(kind).takes)}
    for name in given.keys() - fields.keys():
        close = get_close_matches(name[:60], fields, n=1)
        hint = f"{close[0]} is meant?" if close else "one of " + ", ".join(fields)
        yield Mistake(f"{PROPERTY}.{name[:80]}", f"a {kind} command has no parameter {name[:60]!r}", hint)
    for name, field in fields.items():
        path = f"{PROPERTY}.{name}"
        if name not in given:
            if field.required:
                yield Mistake(path, f"a {kind} command needs the parameter {name}", "add it", lacking=True)
            continue
        try:
            known = _without_variables(given[name])
            if known is not msgspec.UNSET:
                msgspec.convert(known, field.type, strict=False)
        except msgspec.ValidationError as error:
            yield Mistake(path, f"{name}: {_plain(error)}", _allowed(field.type))


def _terms(kind: str) -> Terms:
    return LOOKING[kind] if kind in LOOKING else TERMS[kind]


def _without_variables(value: Any) -> Any:
    """What is known of a value before its variables are; UNSET for nothing."""
    if isinstance(value, list):
        return [one for one in value if not names_within(one)]
    return msgspec.UNSET if isinstance(value, str) and names_within(value) else value


def _plain(error: msgspec.ValidationError) -> str:
    return str(error).replace("`", "'")[:300]


def _allowed(kind: Any) -> str:
    values = getattr(kind, "__args__", ())
    texts = [one for one in values if isinstance(one, str)]
    return "one of " + ", ".join(one for one in texts if one) if texts else "docs/playbooks.md, Our own actions"
