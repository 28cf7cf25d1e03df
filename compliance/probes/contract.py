"""What a probe is: one file with one ``PROBE`` in it, found by where it stands (registry).

A probe says which items of the catalogue it speaks to, on which kinds of objects, which parts it reads, and judges them: met,
partly, not met, or not applicable. What cannot be read raises Unreadable: an error, never a verdict. Words for people are given in
English and Chinese; words of configuration files stand for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from compliance.probes.facts import Facts
from compliance.verdicts import Verdict

Source = Literal[
    "linux", "windows", "network_device", "postgresql", "mysql", "dm", "redis", "nginx", "tomcat", "ldap", "tls", "cloud",
    "platform",
]  # fmt: skip


class Text(msgspec.Struct, frozen=True):
    """The same in both languages."""

    en: str
    zh: str


Words = Text | str
"""Text, or words of a configuration that are the same in each language."""


class Judgement(msgspec.Struct, frozen=True):
    """``found``: what speaks against it (or, where it is met, for it). ``lines``: evidence, where not the whole parts are."""

    verdict: Verdict
    found: tuple[Text, ...] = ()
    lines: tuple[str, ...] | None = None


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One probe.

    id, way          its own id, and the way of gathering in the catalogue (probes.yaml) that it begins with
    items            clauses of GB/T 22239 that it speaks to; it is evidence for them, seldom all that they ask
    units            units of GB/T 39786 likewise
    objects          kinds of objects that it fits
    reads            names of the parts that it needs
    criterion        when it is met, in one sentence of our own
    to_be_confirmed  the criterion rests on common practice (a number, a list of names), not on words of the standard
    reproduce        how a person sees the same by hand
    """

    id: str
    way: str
    source: Source
    items: tuple[str, ...]
    units: tuple[str, ...] = ()
    objects: tuple[str, ...] = ("server_os",)
    reads: tuple[str, ...]
    title: Text
    criterion: Text
    to_be_confirmed: bool = False
    reproduce: str
    judge: Callable[[Facts], Judgement]


def text(words: Words) -> Text:
    """Words of a configuration as a Text."""
    return words if isinstance(words, Text) else Text(words, words)


def judgement(
    bad: Iterable[Words] = (), weak: Iterable[Words] = (), good: Iterable[Words] = (), lines: Iterable[str] | None = None
) -> Judgement:
    """Not met where something is ``bad``, else partly where something is ``weak``, else met for what is ``good``."""
    wrong, weaker = tuple(map(text, bad)), tuple(map(text, weak))
    kept = None if lines is None else tuple(lines)
    if wrong:
        return Judgement(Verdict.NOT_MET, wrong + weaker, kept)
    if weaker:
        return Judgement(Verdict.PARTLY, weaker, kept)
    return Judgement(Verdict.MET, tuple(map(text, good)), kept)


def not_applicable(why: Words) -> Judgement:
    """There is nothing here that the probe could be about."""
    return Judgement(Verdict.NOT_APPLICABLE, (text(why),))
