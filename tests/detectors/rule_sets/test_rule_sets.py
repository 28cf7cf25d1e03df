"""Installing sets: manifest, digest, replacement in one step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.sm3 import sm3
from detectors.rule_sets.archive import RuleFile
from detectors.rule_sets.sets import install, installed, set_name
from kernel.errors import RuleError

RULE = b"title: x\ndetection:\n  s: {a: b}\n  condition: s\n"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def test_a_set_is_stored_with_its_manifest(tmp_path: Path) -> None:
    files = [
        RuleFile("a/x.yml", "sigma", RULE),
        RuleFile("y.yar", "yara", b"rule y { condition: true }"),
        RuleFile("LICENSE", "licence", b"DRL 1.1"),
        RuleFile(".github/workflow.yml", "sigma", b"on: push\n"),
    ]
    manifest = install(tmp_path, "mine", "https://rules.example/mine.zip", files, NOW)
    assert manifest.counts == {"sigma": 1, "yara": 1}
    assert manifest.licence == "LICENSE"
    assert manifest.imported == "2026-11-23T04:00:00.000000Z"
    kept = {path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert kept == {"a/x.yml", "y.yar", "LICENSE", "manifest.json"}
    assert installed(tmp_path) == [manifest]
    expected = b"".join(
        f"{file.name}\0{len(file.content)}\0".encode() + file.content for file in (files[2], files[0], files[1])
    )  # in order of the names
    assert manifest.sm3 == sm3(expected).hex()


def test_a_new_import_replaces_the_old_set_whole(tmp_path: Path) -> None:
    install(tmp_path, "mine", "a", [RuleFile("old.yml", "sigma", RULE)])
    install(tmp_path, "mine", "b", [RuleFile("new.yml", "sigma", RULE)])
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["manifest.json", "new.yml"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_failed_import_leaves_the_old_set(tmp_path: Path) -> None:
    install(tmp_path, "mine", "a", [RuleFile("old.yml", "sigma", RULE)])

    def broken() -> Iterator[RuleFile]:
        yield RuleFile("new.yml", "sigma", RULE)
        raise RuleError("damaged")

    with pytest.raises(RuleError, match="damaged"):
        install(tmp_path, "mine", "b", broken())
    with pytest.raises(RuleError, match="no Sigma, YARA or Suricata rule"):
        install(tmp_path, "mine", "b", [RuleFile("ci.yml", "sigma", b"jobs:\n")])
    assert (tmp_path / "mine" / "old.yml").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("names", "folder"),
    [(("a.yml", "a.yml/b.yml"), "a.yml"), (("x/y.yml/b.yml", "x/y.yml"), "x/y.yml"), (("manifest.json/b.yml",), "manifest.json")],
)
def test_a_file_that_another_needs_as_its_folder_is_told(tmp_path: Path, names: tuple[str, ...], folder: str) -> None:
    with pytest.raises(RuleError, match=f"needs a folder {folder}, which is a file"):
        install(tmp_path / "rules", "mine", "a", [RuleFile(name, "sigma", RULE) for name in names])
    assert not (tmp_path / "rules").exists()


def test_of_a_name_that_comes_twice_the_last_one_counts(tmp_path: Path) -> None:
    manifest = install(tmp_path, "mine", "a", [RuleFile("x.yml", "sigma", RULE), RuleFile("x.yml", "sigma", RULE + b"#\n")])
    assert manifest.counts == {"sigma": 1}
    assert (tmp_path / "mine" / "x.yml").read_bytes() == RULE + b"#\n"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file" / "rules", Path("/proc/rules")):
        with pytest.raises(RuleError, match=f"cannot be stored below {root}: "):
            install(root, "mine", "a", [RuleFile("x.yml", "sigma", RULE)])


def test_a_source_whose_name_is_no_utf8_is_written_down(tmp_path: Path) -> None:
    assert install(tmp_path, "mine", "a\udcff.yml", [RuleFile("x.yml", "sigma", RULE)]).source == "a\\udcff.yml"
    assert installed(tmp_path)[0].source == "a\\udcff.yml"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "UPPER", "x" * 65])
def test_names_that_are_no_folder_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuleError, match="cannot name"):
        install(tmp_path, name, "a", [RuleFile("x.yml", "sigma", RULE)])


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/data/Sigma-Rules.tar.gz", "sigma-rules"),
        ("https://rules.example/v1/pack.zip?token=x#y", "pack"),
        ("rules/", "rules"),
        ("我的规则.zip", "rules"),
        ("web.yar", "web"),
    ],
)
def test_a_set_is_named_after_its_source(source: str, name: str) -> None:
    assert set_name(source) == name


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    install(tmp_path, "mine", "a", [RuleFile("x.yml", "sigma", RULE)])
    (tmp_path / "mine" / "manifest.json").write_text("{")
    with pytest.raises(RuleError, match=r"manifest\.json"):
        installed(tmp_path)
