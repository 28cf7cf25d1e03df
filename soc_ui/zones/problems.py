"""Mistakes of a plan in the language of the page. kernel.zones.plan tells them in English; what is not known here stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kernel.errors import LiandunError
from soc_ui.locale import _

_LINE = re.compile(r"plan(?::(\d+))?: (.*)", re.DOTALL)
_SUBJECT = re.compile(r"(zone|conduit|asset) (.{1,128}?): (.*)", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """One mistake: the line of the file (0 = none), what it is about ("" = the whole), and what is wrong."""

    line: int
    kind: str
    id: str
    text: str


def explain(error: LiandunError) -> list[Problem]:
    """All mistakes that an error of the plan or the service tells of."""
    parts = error.message.split("\n")
    if len(parts) == 1 and not _LINE.fullmatch(parts[0]):
        parts = error.message.split("; ")
    return [_problem(part) for part in parts]


def translated(text: str) -> str:
    """One mistake in the language of the page."""
    for pattern, words in _patterns():
        match = pattern.fullmatch(text)
        if match:
            return words(*match.groups())
    return text


def _problem(text: str) -> Problem:
    match = _LINE.fullmatch(text)
    line, rest = (int(match[1] or 0), match[2]) if match else (0, text)
    subject = _SUBJECT.fullmatch(rest)
    if subject is None:
        return Problem(line, "", "", translated(rest))
    return Problem(line, subject[1], subject[2], translated(subject[3]))


def _patterns() -> list[tuple[re.Pattern[str], Callable[..., str]]]:
    told: list[tuple[str, Callable[..., str]]] = [
        (r"this id is used twice", lambda: _("this id is used twice")),
        (r"an id has 1 to 128 characters", lambda: _("an id has 1 to 128 characters")),
        (r"use lower-case letters, digits and - .*", lambda: _("an id has lower-case letters, digits and - only; internet and unknown are built in")),
        (r"there is no layer (.*) \(one of .*\)", lambda layer: _("there is no layer %(layer)s", layer=layer)),
        (r"importance (-?\d+): 1 to 5.*", lambda number: _("importance %(number)s: it goes from 1 to 5", number=number)),
        (r"internet (.*): forbidden or conduit", lambda value: _("internet %(value)s: write forbidden or conduit", value=value)),
        (r"admission (.*): open or registered", lambda value: _("admission %(value)s: write open or registered", value=value)),
        (r"a zone needs a name", lambda: _("a zone needs a name")),
        (r"(-?\d+) is no VLAN .*", lambda vlan: _("%(vlan)s is no VLAN (1 to 4094)", vlan=vlan)),
        (r"range (.*) belongs to (\S*) already", lambda text, zone: _("range %(range)s belongs to %(zone)s already", range=text, zone=zone)),
        (r"range ('.*?'): .*has host bits set", lambda text: _("range %(range)s: the address has bits set behind the prefix", range=text)),
        (r"range ('.*?'): .*", lambda text: _("range %(range)s is no network (write 10.60.0.0/16 or 2001:db8::/48)", range=text)),
        (r"from names no zone", lambda: _("“from” names no zone")),
        (r"to names no zone", lambda: _("“to” names no zone")),
        (r"(?:from|to): there is no zone (.*)", lambda zone: _("there is no zone %(zone)s", zone=zone)),
        (
            r"(.*) has internet: forbidden, so no conduit may lead from it to the Internet",
            lambda zone: _("%(zone)s must not reach the Internet, so no conduit may lead from it to there", zone=zone),
        ),
        (r"services are missing .*", lambda: _("services are missing (any = every service)")),
        (r"(.*) is no service: write a name .*", lambda name: _("%(name)s is no service: write a name (ssh, https …), tcp/8080, udp/5000-5010 or any", name=name)),
        (r"(.*) names no ports .*", lambda name: _("%(name)s names no ports (1 to 65535, lower one first)", name=name)),
        (r"(?:since|until): (.*) is no moment .*", lambda text: _("%(text)s is no moment (write 2027-06-30)", text=text)),
        (r"ends before it begins", lambda: _("it ends before it begins")),
        (r"(.*) is no address", lambda text: _("%(text)s is no address", text=text)),
        (r"(.*) is no MAC address", lambda text: _("%(text)s is no MAC address", text=text)),
        (r"address (\S+) belongs to (.*) already", lambda text, owner: _("address %(text)s belongs to %(owner)s already", text=text, owner=owner)),
        (r"MAC (\S+) belongs to (.*) already", lambda text, owner: _("MAC address %(text)s belongs to %(owner)s already", text=text, owner=owner)),
        (r"there is an asset (.*) already", lambda key: _("there is a device %(key)s already; change that one, or choose another id", key=key)),
        (r"asset (.*) was changed by somebody else", lambda key: _("Somebody else changed %(key)s in the meantime; load the page again and decide once more.", key=key)),
        (r"(.*) belongs to (.*)", lambda text, owner: _("%(text)s belongs to %(owner)s already", text=text, owner=owner)),
        (r"a note has at most (\d+) characters", lambda number: _("a note has at most %(n)s characters", n=number)),
        (r"no YAML: (.*)", lambda reason: _("this is no YAML: %(reason)s", reason=reason)),
        (r"must have the parts zones, conduits and assets", lambda: _("the file must have the parts zones, conduits and assets")),
        (r"unknown part (.*) \(known: .*\)", lambda part: _("there is no part %(part)s (zones, conduits, assets)", part=part)),
        (r"(zones|conduits|assets) must be a list", lambda part: _("%(part)s must be a list", part=part)),
        (r"Object missing required field `(.*)`", lambda name: _("%(name)s is missing", name=name)),
        (r"Object contains unknown field `(.*)`", lambda name: _("there is no field %(name)s", name=name)),
        (r"Expected `(.*)`, got `(.*)` - at `\$\.?(.*)`", lambda want, got, name: _("%(name)s: %(want)s is wanted, %(got)s stands there", name=name, want=want, got=got)),
    ]  # fmt: skip
    return [(re.compile(pattern, re.DOTALL), words) for pattern, words in told]
