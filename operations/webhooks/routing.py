"""Which messages a target gets, and when: rules by event type, level, zone, organisation and time, quiet hours and digest.

A target without rules gets everything from its least level on. With rules it gets what one of them lets through. In quiet hours a
message waits until they are over, with a digest until the next full period of so many minutes (kinds for people then send what has
come together as one text), unless its level breaks through. Hours are the city's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kernel.detection import LEVELS, level_rank
from kernel.event import timestamp
from operations import clock
from operations.errors import Invalid
from operations.webhooks.channels.wording import SHANGHAI

MAX_RULES = 20
MAX_VALUES = 50
MAX_DIGEST = 1440
"""Minutes."""
_TYPE = re.compile(r"[a-z_]{1,32}\.(?:\*|[a-z_]{1,32})")
_HOUR = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
MIDNIGHT = "00:00"
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``start`` to before ``end`` (HH:MM, over midnight where that is not later) on ``days`` (1 = Monday) of the start; 00:00 to
    00:00 is the whole day."""

    start: str
    end: str
    days: tuple[int, ...] = EVERY_DAY

    def until(self, moment: datetime) -> datetime | None:
        """When they are over, if ``moment`` (of the city) lies within; None outside."""
        for back in (0, 1):
            day = moment - timedelta(days=back)
            begin, finish = _at(day, self.start), _at(day, self.end)
            if finish <= begin:
                finish += timedelta(days=1)
            if day.isoweekday() in self.days and begin <= moment < finish:
                return finish
        return None


class Quiet(Hours, frozen=True, forbid_unknown_fields=True):
    """Quiet hours; messages of the level ``through`` and above go out all the same ("" = none do)."""

    through: str = "critical"


class Digest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes within ``minutes`` (counted from midnight) goes out together; messages of the level ``through`` and above go out
    at once ("" = none do)."""

    minutes: int
    through: str = "critical"

    def until(self, moment: datetime) -> datetime:
        """The end of the period in which ``moment`` (of the city) lies; midnight ends one."""
        midnight = _at(moment, MIDNIGHT)
        passed = int((moment - midnight).total_seconds() // 60)
        return midnight + timedelta(minutes=min((passed // self.minutes + 1) * self.minutes, 1440))


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left empty asks for nothing. ``types`` are event types, or families such as ``incident.*``."""

    types: tuple[str, ...] = ()
    min_level: str = ""
    zones: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    hours: Hours | None = None


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a target, its quiet hours and its digest."""

    rules: tuple[Rule, ...] = ()
    quiet: Quiet | None = None
    digest: Digest | None = None

    @property
    def by_place(self) -> bool:
        """Whether it has to be known which zones and organisations a message concerns."""
        return any(rule.zones or rule.organisations for rule in self.rules)


class Matter(msgspec.Struct):
    """What routing knows of a message; ``places`` (zones, organisations) is asked only where a rule wants to know."""

    event_type: str
    level: str
    places: Callable[[], tuple[frozenset[str], frozenset[str]]]


def read(text: str) -> Routing:
    """The column of a target."""
    return msgspec.json.decode(text, type=Routing)


def checked(given: Any) -> str:
    """Routing as the column holds it. Raises Invalid, whose ``field`` says where: ``routing.rules.0.hours``, ``routing.quiet``."""
    try:
        routing = msgspec.convert(given, type=Routing)
    except msgspec.ValidationError as error:
        raise Invalid(f"the routing is not understood: {error}", field="routing") from error
    if len(routing.rules) > MAX_RULES:
        raise _wrong("rules", f"at most {MAX_RULES} rules")
    for place, rule in enumerate(routing.rules):
        _check_rule(place, rule)
    if routing.quiet is not None:
        _check_hours("quiet", "quiet hours", routing.quiet)
        if routing.quiet.start == routing.quiet.end and len(set(routing.quiet.days)) == len(EVERY_DAY):
            raise _wrong("quiet", "quiet hours: they would never end")
        _check_through("quiet", "quiet hours", routing.quiet.through)
    if routing.digest is not None:
        if not 1 <= routing.digest.minutes <= MAX_DIGEST:
            raise _wrong("digest", f"digest: minutes are 1 to {MAX_DIGEST}")
        _check_through("digest", "digest", routing.digest.through)
    return msgspec.json.encode(routing).decode()


def due(routing: Routing, min_level: str, matter: Matter, present: str) -> str | None:
    """When the message goes out to a target with this routing; None = not at all."""
    if matter.level and level_rank(matter.level) < level_rank(min_level):
        return None
    moment = clock.moment(present).astimezone(SHANGHAI)
    if routing.rules and matching(routing, matter, moment) is None:
        return None
    later = _later(routing, matter.level, moment)
    return present if later == moment else timestamp(later.astimezone(clock.moment(present).tzinfo))


def matching(routing: Routing, matter: Matter, moment: datetime) -> int | None:
    """Place of the first rule that lets the message through, ``moment`` being of the city; None = no rule does."""
    return next((place for place, rule in enumerate(routing.rules) if _matches(rule, matter, moment)), None)


def _later(routing: Routing, level: str, moment: datetime) -> datetime:
    """When a message of ``moment`` goes out by digest and quiet hours: its digest may end within quiet hours."""
    digest, quiet = routing.digest, routing.quiet
    if digest is not None and not _breaks_through(digest.through, level):
        moment = digest.until(moment)
    if quiet is not None and not _breaks_through(quiet.through, level):
        for _day in EVERY_DAY:  # a quiet Saturday ends in a quiet Sunday
            moment = quiet.until(moment) or moment
    return moment


def _breaks_through(through: str, level: str) -> bool:
    return bool(through and level) and level_rank(level) >= level_rank(through)


def _matches(rule: Rule, matter: Matter, moment: datetime) -> bool:
    if rule.types and not any(
        matter.event_type == one or (one.endswith("*") and matter.event_type.startswith(one[:-1])) for one in rule.types
    ):
        return False
    if rule.min_level and matter.level and level_rank(matter.level) < level_rank(rule.min_level):
        return False
    if rule.hours is not None and rule.hours.until(moment) is None:
        return False
    if not rule.zones and not rule.organisations:
        return True
    zones, organisations = matter.places()
    return (not rule.zones or bool(zones & set(rule.zones))) and (
        not rule.organisations or bool(organisations & set(rule.organisations))
    )


def _check_rule(place: int, rule: Rule) -> None:
    at, where = f"rules.{place}", f"rule {place + 1}"
    for name in ("types", "zones", "organisations"):
        values = getattr(rule, name)
        if len(values) > MAX_VALUES or any(not 1 <= len(value) <= 200 or not value.isprintable() for value in values):
            raise _wrong(f"{at}.{name}", f"{where}: {name} are at most {MAX_VALUES} texts of 1 to 200 characters")
    for one in rule.types:
        if not _TYPE.fullmatch(one):
            raise _wrong(f"{at}.types", f"{where}: {one[:64]!r} is no event type, write e.g. alert.created or incident.*")
    if rule.min_level and rule.min_level not in LEVELS:
        raise _wrong(f"{at}.min_level", f"{where}: there is no level {rule.min_level[:32]!r}")
    if rule.hours is not None:
        _check_hours(f"{at}.hours", where, rule.hours)


def _check_hours(at: str, where: str, hours: Hours) -> None:
    if not _HOUR.fullmatch(hours.start) or not _HOUR.fullmatch(hours.end):
        raise _wrong(at, f"{where}: hours are written HH:MM, e.g. 22:00")
    if hours.start == hours.end != MIDNIGHT:
        raise _wrong(at, f"{where}: the hours are empty")
    if not hours.days or any(day not in EVERY_DAY for day in hours.days):
        raise _wrong(f"{at}.days", f"{where}: days are 1 (Monday) to 7")


def _check_through(at: str, where: str, through: str) -> None:
    if through and through not in LEVELS:
        raise _wrong(f"{at}.through", f"{where}: there is no level {through[:32]!r}")


def _at(day: datetime, hour: str) -> datetime:
    return day.replace(hour=int(hour[:2]), minute=int(hour[3:]), second=0, microsecond=0)


def _wrong(at: str, why: str) -> Invalid:
    return Invalid(why, field=f"routing.{at}")
