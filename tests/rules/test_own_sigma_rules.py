"""Our own Sigma rules: each has test events and passes them, is well made, and carries real ATT&CK tags."""

from __future__ import annotations

import io
import re
import tarfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from collectors.parsers import PARSERS
from detectors.rule_lint import lint
from detectors.rule_tests import START, Outcome, case_file, rule_files, run_tests
from detectors.sigma.engine import SigmaEngine
from kernel.detection import LEVELS
from kernel.event import Event
from kernel.record import RawRecord

RULES = Path(__file__).resolve().parents[2] / "rules" / "sigma"
FILES = rule_files([RULES])
AREAS = {
    *(
        "windows",
        "linux",
        "web",
        "dns",
        "network",
        "ot",
        "iot",
        "platform",
        "cloud",
        "kubernetes",
        "database",
        "antivirus",
        "zones",
    ),
}
NOT_IN_SIGMAHQ = {"t1110.003", "t1530", "t1098.004", "t1098.006", "t1213.006", "t1567.004", "t1595.003", "t1610"}
"""Real Enterprise techniques (ATT&CK v19) that no SigmaHQ rule carries at present."""
ICS = re.compile(r"t0\d{3}|t169[1-5]\.00[1-3]|(?:impair-process-control|inhibit-response-function|evasion)")
"""Shapes of ATT&CK for ICS v19, which SigmaHQ has no rules for; attack.txt tells which of them exist (lint looks there)."""


def read(form: str, raw: bytes) -> list[Event]:
    return PARSERS[form](RawRecord("test", form, int(START.timestamp() * 1_000_000), "", raw))


@cache
def outcomes_of(file: Path) -> list[Outcome]:
    return run_tests(file, read)


def documents() -> list[tuple[Path, dict[str, Any]]]:
    return [(file, document) for file in FILES for document in yaml.safe_load_all(file.read_text("utf-8"))]


def test_there_are_enough_rules_in_every_area() -> None:
    loaded = SigmaEngine.load(FILES)
    assert loaded.failures == []
    assert sum(rule.reported for rule in loaded.rules) >= 100
    assert {file.parent.name for file in FILES} == AREAS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rule_fires_on_its_positive_and_stays_silent_on_its_negative_events(file: Path) -> None:
    outcomes = outcomes_of(file)
    assert [f"{case_file(file).name}:{one.line}: {one.reason}" for one in outcomes if not one.passed] == []
    assert {one.expected for one in outcomes} == {True, False}, "a rule needs positive and negative events"


def test_every_reported_rule_of_a_file_has_a_positive_case() -> None:
    for file in FILES:
        fired = {name for one in outcomes_of(file) if one.expected for name in one.fired}
        for rule in SigmaEngine.load([file]).rules:
            if rule.reported:
                assert (rule.name or rule.id) in fired, f"{file.name}: no positive case for {rule.title}"


def test_identities_are_unique_random_uuids() -> None:
    identities = [str(document["id"]) for _, document in documents()]
    assert len(set(identities)) == len(identities)
    assert all(uuid.UUID(identity).version == 4 for identity in identities)
    titles = [document["title"] for _, document in documents()]
    assert len(set(titles)) == len(titles)


def test_every_rule_says_who_what_and_when_it_is_wrong() -> None:
    for file, document in documents():
        assert document["author"] == "Liandun", file
        assert document["level"] in LEVELS, file
        assert document["falsepositives"], file
        assert re.search(r"[\u4e00-\u9fff]", document["title_zh"]), file
        assert document["references"], file
        assert len(document["description"]) > 20, file
        assert any(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in document["tags"]), file


def test_attack_tags_are_those_of_the_rule_collection_of_sigmahq(shared: Path) -> None:
    known = {f"attack.{technique}" for technique in NOT_IN_SIGMAHQ}
    with tarfile.open(fileobj=io.BytesIO((shared / "corpora" / "sigma-rules.tar.gz").read_bytes())) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".yml") else None
            if stream is not None:
                known.update(re.findall(r"- (attack\.[a-z0-9.-]+)", stream.read().decode()))
    ours = {tag for _, document in documents() for tag in document["tags"] if tag.startswith("attack.")}
    assert {tag for tag in ours - known if ICS.fullmatch(tag.removeprefix("attack.")) is None} == set()


def test_lint_has_nothing_to_say() -> None:
    assert [str(finding) for finding in lint(FILES, need_tests=True)] == []
