"""All probes together: what they name exists, and what cannot be read never becomes a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from compliance.catalogue import load
from compliance.probes.contract import Probe, Source
from compliance.probes.facts import Part
from compliance.probes.reading.linux_parts import PARTS
from compliance.probes.reading.platform import PARTS as OWN_PARTS
from compliance.probes.registry import FOLDER, of_source, probes
from compliance.probes.result import judged

ALL = list(probes().values())
_NOISE = (
    "", "\n\n", "\0\N{REPLACEMENT CHARACTER} ~~ <html>404</html>\n%s%n\n", "{}", "null", "== /x\n| \n", "-- /x\n",
    "== done 0\n" * 2, "Welcome!\nLast login: today\n", "A" * 400_000,
)  # fmt: skip


def test_there_are_as_many_as_files() -> None:
    files = [path for source in get_args(Source) for path in (FOLDER / source).glob("[a-z]*.py")]
    assert len(ALL) == len(files)
    assert len(of_source("linux")) >= 50


@pytest.mark.parametrize("probe", ALL, ids=lambda one: one.id)
def test_what_it_names_is_in_the_catalogue(probe: Probe) -> None:
    items = {placed.item.id: placed.item for placed in load.requirements().placed()}
    units = {unit.id for _, unit in load.crypto_requirements().units()}
    assert probe.way in load.probes()
    assert set(probe.items) <= set(items)
    assert set(probe.units) <= units
    assert probe.items or probe.units
    kinds = {kind for placed in items.values() for kind in placed.objects}
    assert set(probe.objects) <= kinds
    for text in (probe.title, probe.criterion):
        assert text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh) or text.zh in ("SNMP", "HSTS")
    if probe.source in ("linux", "nginx"):
        assert set(probe.reads) <= set(PARTS)
    if probe.source == "platform":
        assert set(probe.reads) <= set(OWN_PARTS)


@pytest.mark.parametrize("probe", ALL, ids=lambda one: one.id)
def test_what_cannot_be_read_is_an_error(probe: Probe) -> None:
    names = probe.reads
    for parts in ({}, {name: Part("", "the login may not read it") for name in names}):
        result = judged(probe, parts, "target", "2026-01-01T00:00:00Z")
        assert (result.outcome, result.verdict) == ("error", None)
    blind = judged(probe, {name: Part("!! /etc/somewhere\n") for name in names}, "target", "")
    empty = judged(probe, {name: Part("") for name in names}, "target", "")
    noise = judged(probe, {name: Part("\x00\x1b[31m== \n| \udcff::::\n[[[{{{" * 50) for name in names}, "target", "")
    for found in (empty, blind, noise):
        assert found.outcome not in ("met", "not_applicable")
    noise.evidence.encode()


@pytest.mark.parametrize("probe", ALL, ids=lambda one: one.id)
def test_what_does_not_speak_of_it_is_neither_met_nor_not_applicable(probe: Probe) -> None:
    for text in _NOISE:
        found = judged(probe, {name: Part(text) for name in probe.reads}, "target", "")
        assert found.outcome not in ("met", "not_applicable"), (text[:40], found.reason)


def test_one_file_each_and_short() -> None:
    for path in Path(FOLDER).rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) < 300, path
