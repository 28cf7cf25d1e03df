"""Mistakes of a plan in the language of the page. The kernel tells them in English; what is not known here stays as it is."""

from __future__ import annotations

import re
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
    for pattern, words in _words():
        match = re.fullmatch(pattern, text, re.DOTALL)
        if match:
            return words % match.groupdict()
    return text


def _problem(text: str) -> Problem:
    match = _LINE.fullmatch(text)
    line, rest = (int(match[1] or 0), match[2]) if match else (0, text)
    subject = _SUBJECT.fullmatch(rest)
    if subject is None:
        return Problem(line, "", "", translated(rest))
    return Problem(line, subject[1], subject[2], translated(subject[3]))


def _words() -> list[tuple[str, str]]:
    """What the kernel says, as patterns whose groups fill the places of our words."""
    return [
        (r"this id is used twice", _("this id is used twice")),
        (r"an id has 1 to 128 characters", _("an id has 1 to 128 characters")),
        (
            r"use lower-case letters, digits and - .*",
            _("an id has lower-case letters, digits and - only; internet and unknown are built in"),
        ),
        (r"there is no layer (?P<layer>.*) \(one of .*\)", _("there is no layer %(layer)s")),
        (r"importance (?P<number>-?\d+): 1 to 5.*", _("importance %(number)s: it goes from 1 to 5")),
        (r"internet (?P<value>.*): forbidden or conduit", _("internet %(value)s: write forbidden or conduit")),
        (r"admission (?P<value>.*): open or registered", _("admission %(value)s: write open or registered")),
        (r"a zone needs a name", _("a zone needs a name")),
        (r"(?P<vlan>-?\d+) is no VLAN .*", _("%(vlan)s is no VLAN (1 to 4094)")),
        (r"range (?P<range>.*) belongs to (?P<zone>\S*) already", _("range %(range)s belongs to %(zone)s already")),
        (r"range (?P<range>'.*?'): .*host bits set", _("range %(range)s: the address has bits set behind the prefix")),
        (r"range (?P<range>'.*?'): .*", _("range %(range)s is no network (write 10.60.0.0/16 or 2001:db8::/48)")),
        (r"from names no zone", _("“from” names no zone")),
        (r"to names no zone", _("“to” names no zone")),
        (r"(?:from|to): there is no zone (?P<zone>.*)", _("there is no zone %(zone)s")),
        (
            r"(?P<zone>.*) has internet: forbidden, so no conduit .*",
            _("%(zone)s must not reach the Internet, so no conduit may lead from it to there"),
        ),
        (r"services are missing .*", _("services are missing (any = every service)")),
        (
            r"(?P<name>.*) is no service: write a name .*",
            _("%(name)s is no service: write a name (ssh, https …), tcp/8080, udp/5000-5010 or any"),
        ),
        (r"(?P<name>.*) names no ports .*", _("%(name)s names no ports (1 to 65535, lower one first)")),
        (r"(?:since|until): (?P<text>.*) is no moment .*", _("%(text)s is no moment (write 2027-06-30)")),
        (r"ends before it begins", _("it ends before it begins")),
        (r"(?P<text>.*) is no address", _("%(text)s is no address")),
        (r"(?P<text>.*) is no MAC address", _("%(text)s is no MAC address")),
        (r"address (?P<text>\S+) belongs to (?P<owner>.*) already", _("address %(text)s belongs to %(owner)s already")),
        (r"MAC (?P<text>\S+) belongs to (?P<owner>.*) already", _("MAC address %(text)s belongs to %(owner)s already")),
        (r"(?P<text>.*) belongs to (?P<owner>.*)", _("%(text)s belongs to %(owner)s already")),
        (
            r"there is an asset (?P<key>.*) already",
            _("there is a device %(key)s already; change that one, or choose another id"),
        ),
        (
            r"asset (?P<key>.*) was changed by somebody else",
            _("Somebody else changed %(key)s in the meantime; load the page again and decide once more."),
        ),
        (r"a note has at most (?P<n>\d+) characters", _("a note has at most %(n)s characters")),
        (
            r"(?P<name>\w+): (?P<text>'.*) is longer than (?P<n>\d+) characters",
            _("%(name)s: %(text)s is longer than %(n)s characters"),
        ),
        (r"(?P<name>\w+): (?P<n>\d+) entries are more than (?P<most>\d+)", _("%(name)s: %(n)s entries are more than %(most)s")),
        (
            r"(?:(?P<name>\w+): |no YAML: )?(?P<character>U\+[0-9A-F]+) may not stand in a text",
            _("the character %(character)s may not stand in a text"),
        ),
        (r"no YAML: the (?:anchor|alias) (?P<name>.*): .*", _("%(name)s: a plan has no anchors and aliases; write it out")),
        (r"no YAML: the merge key <<: .*", _("<<: a plan has no merge keys; write it out")),
        (r"no YAML: the tag (?P<tag>.*): .*", _("%(tag)s: a plan has no tags; write the value alone")),
        (r"no YAML: nested more than \d+ deep", _("it is nested too deeply")),
        (r"no YAML: a second document begins; .*", _("a second document begins; a plan is one")),
        (r"no YAML: a key must be a text", _("a key must be a text")),
        (r"no YAML: (?P<reason>.*)", _("this is no YAML: %(reason)s")),
        (r"must have the parts zones, conduits and assets", _("the file must have the parts zones, conduits and assets")),
        (r"unknown part (?P<part>.*) \(known: .*\)", _("there is no part %(part)s (zones, conduits, assets)")),
        (r"(?P<text>.*) is written twice", _("%(text)s is written twice")),
        (r"revision must be a number, .*", _("revision must be a number, as the download writes it")),
        (r"and (?P<n>\d+) more", _("and %(n)s more mistakes")),
        (r"(?P<part>zones|conduits|assets) must be a list", _("%(part)s must be a list")),
        (r"Object missing required field `(?P<name>.*)`", _("%(name)s is missing")),
        (r"Object contains unknown field `(?P<name>.*)`", _("there is no field %(name)s")),
        (
            r"Expected `(?P<want>.*)`, got `(?P<got>.*)` - at `\$\.?(?P<name>.*)`",
            _("%(name)s: %(want)s is wanted, %(got)s stands there"),
        ),
    ]
