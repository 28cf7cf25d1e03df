"""What a trigger waits for, by its kind. What is left out does not matter; each condition says at least something."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from operations.alerts.models import ENTITY_KINDS
from operations.errors import Invalid

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Few = Annotated[list[_Text], msgspec.Meta(max_length=100)]
_AlertLevel = Literal["", "informational", "low", "medium", "high", "critical"]
_Phase = Literal["preparation", "detection", "containment", "eradication", "recovery", "review", "closed"]
_Clock = Annotated[str, msgspec.Meta(pattern=r"^(|([01][0-9]|2[0-3]):[0-5][0-9])\Z")]
_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PER: tuple[str, ...] = ("", "host", "user", "source_ip", "destination_ip", "rule", "alert")
"""What throttling of alerts counts by; "" = the first of host, source address and user that the alert has."""
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)


class EntityPattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the alert is about: of this kind, and like this: ``*`` is any text; an address may be a network, IPv4 or IPv6."""

    kind: str
    pattern: _Text

    def fits(self, kind: str, value: str) -> bool:
        """Whether a value of an alert is meant."""
        if kind != self.kind:
            return False
        network = network_of(self.pattern) if kind == "ip" else None
        if network is None:
            return fnmatch.fnmatchcase(value.lower(), _literal(self.pattern.lower()))
        address = network_of(value)
        return address is not None and address.version == network.version and address.subnet_of(network)  # type: ignore[arg-type]


class AlertCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new alert: of one of these rules, of at least this level, in one of these zones, of one of these data sets, about one of
    these entities. ``per``: one of PER."""

    rules: _Few = []
    level: _AlertLevel = ""
    zones: _Few = []
    datasets: _Few = []
    entities: Annotated[list[EntityPattern], msgspec.Meta(max_length=50)] = []
    per: Literal["", "host", "user", "source_ip", "destination_ip", "rule", "alert"] = ""


class IncidentCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident enters one of these phases (being made counts), or gets class and level while it is in one.

    classes  beginnings of class codes (GB/T 20986-2023); level: at least as grave: 1 gravest, 4 least, 0 = any. While nobody has
             decided, the suggested ones count
    drills   also incidents that are drills
    """

    phases: list[_Phase] = []
    classes: _Few = []
    level: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    zones: _Few = []
    drills: bool = False


class WarningCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A warning of one of these colours is published, or raised or lowered to one."""

    levels: list[Literal["blue", "yellow", "orange", "red"]] = []
    zones: _Few = []


class ScheduleCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By the clock of Asia/Shanghai: every ``every_minutes``, or at ``at`` on these ``days`` (none = daily)."""

    every_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0
    at: _Clock = ""
    days: list[_Day] = []


class WebhookCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new alert of the inbound webhook ``source`` (its number), of at least this level. ``per`` as of alerts."""

    source: Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]
    level: _AlertLevel = ""
    per: Literal["", "host", "user", "source_ip", "destination_ip", "rule", "alert"] = ""


Condition: TypeAlias = AlertCondition | IncidentCondition | WarningCondition | ScheduleCondition | WebhookCondition
_OF_KIND: dict[str, type[Condition]] = {
    "alert": AlertCondition,
    "incident": IncidentCondition,
    "warning": WarningCondition,
    "schedule": ScheduleCondition,
    "webhook": WebhookCondition,
}


def read_condition(kind: str, given: Mapping[str, Any]) -> Condition:
    """The condition of a trigger of ``kind``. Raises Invalid, whose field is the place (``condition.level``)."""
    if kind not in _OF_KIND:
        raise Invalid(f"there is no kind {kind[:32]!r}", f"one of {', '.join(_OF_KIND)}", field="kind")
    try:
        found = msgspec.convert(dict(given), _OF_KIND[kind])
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from error
    _refuse(found)
    return found


def write_condition(condition: Condition) -> str:
    """As it is kept: JSON that ``kept_condition`` reads."""
    return msgspec.json.encode(condition).decode()


def kept_condition(kind: str, text: str) -> Condition:
    """A condition that ``write_condition`` has written."""
    return msgspec.json.decode(text, type=_OF_KIND[kind])


def _refuse(condition: Condition) -> None:
    """What the types cannot say."""
    match condition:
        case AlertCondition(rules=[], level="", zones=[], datasets=[], entities=[]):
            raise Invalid("every alert would start it", "say rules, a level, zones, data sets or entities", field="condition")
        case AlertCondition():
            _refuse_patterns(condition.entities)
        case IncidentCondition(phases=[]):
            raise Invalid("the phases are missing", "for example containment", field="condition.phases")
        case WarningCondition(levels=[]):
            raise Invalid("the colours are missing", "for example orange and red", field="condition.levels")
        case ScheduleCondition(every_minutes=0, at=""):
            raise Invalid("it would never start", "say every_minutes, or at", field="condition")
        case ScheduleCondition(every_minutes=0):
            pass
        case ScheduleCondition(every_minutes=every, at=at, days=days):
            if at or days:
                raise Invalid("every_minutes stands beside at or days", "keep one of them", field="condition.every_minutes")
            if every < 5:
                raise Invalid("it starts at most every 5 minutes", field="condition.every_minutes")


def _refuse_patterns(patterns: Iterable[EntityPattern]) -> None:
    for place, one in enumerate(patterns):
        where = f"condition.entities[{place}]"
        if one.kind not in ENTITY_KINDS:
            raise Invalid(f"there is no kind {one.kind[:32]!r}", f"one of {', '.join(ENTITY_KINDS)}", field=f"{where}.kind")
        if not one.pattern.replace("*", "").strip():
            raise Invalid("the pattern fits everything", "leave the entity out", field=f"{where}.pattern")
        if "/" in one.pattern and one.kind == "ip" and network_of(one.pattern) is None:
            raise Invalid(f"{one.pattern[:80]!r} is no network", "for example 10.0.0.0/8", field=f"{where}.pattern")


def network_of(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network (an address is one of itself), None where it is none."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _literal(pattern: str) -> str:
    """For fnmatch: only ``*`` has a meaning."""
    return re.sub(r"([?\[])", r"[\1]", pattern)


def _misfit(text: str) -> Invalid:
    found = _PLACE.match(text)
    what, path = (found["what"], found["path"] or "") if found else (text, "")
    return Invalid(what.replace("`", "'")[:200], field=f"condition.{path}".removesuffix(".")[:160])
