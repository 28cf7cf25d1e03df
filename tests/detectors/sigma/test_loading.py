"""Rules that are wrong are named with file, line and reason; the others run. Archives cannot hurt."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
import yaml

from detectors.sigma import source
from detectors.sigma.artifacts import Artifacts
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.regexes import EXPONENTIAL, LINEAR, POLYNOMIAL, backtracking_risk
from tests.detectors.sigma.sigma_rules import engine_of, event, fires, rule

GOOD = yaml.safe_dump(rule({"s": {"f": "x"}, "condition": "s"}, number=1), sort_keys=False)

HEAD = """title: Bad
id: 00000000-0000-4000-8000-0000000000bd
logsource:
  product: liandun
  service: test
"""

BROKEN: list[tuple[str, str, int, str]] = [
    ("yaml", "title: x\n  broken: [\n", 2, "YAML: "),
    ("tab", "title: x\n\tdetection: y\n", 2, "YAML: "),
    ("no mapping", "- a\n- b\n", 1, "the document is no mapping"),
    ("no detection", HEAD, 1, "rule has no 'detection', 'correlation' or 'filter' section"),
    ("no logsource", "title: x\ndetection:\n  s:\n    a: b\n  condition: s\n", 1, "rule has no logsource"),
    ("unknown modifier", HEAD + "detection:\n  s:\n    f|contians: x\n  condition: s\n", 8, "Unknown modifier 'contians'"),
    (
        "unknown selection",
        HEAD + "detection:\n  s:\n    f: x\n  condition: s and\n    t\n",
        10,
        "'t', which the rule does not define",
    ),
    ("condition syntax", HEAD + "detection:\n  s:\n    f: x\n  condition: s and (s\n", 9, "Unbalanced parentheses"),
    ("old aggregation", HEAD + "detection:\n  s:\n    f: x\n  condition: s | count() > 5\n", 9, "pipe syntax"),
    ("nothing selected", HEAD + "detection:\n  s:\n    f: x\n  condition: 1 of sel_*\n", 9, "fits none"),
    ("bad regex", HEAD + "detection:\n  s:\n    f|re: 'a(b'\n  condition: s\n", 8, "Regular expression"),
    ("bad network", HEAD + "detection:\n  s:\n    f|cidr: 10.0.0.1/99\n  condition: s\n", 8, "Invalid CIDR expression"),
    (
        "no value for a placeholder",
        HEAD + "detection:\n  s:\n    f|expand: '%who%'\n  condition: s\n",
        8,
        "placeholder who has no value",
    ),
    ("correlation type", "title: c\ncorrelation:\n  type: sum\n  rules: [a]\n  timespan: 5m\n", 3, "correlation type 'sum'"),
    (
        "timespan",
        "title: c\ncorrelation:\n  type: temporal\n  rules: [a]\n  timespan: 5 parsec\n",
        5,
        "correlation timespan '5 parsec'",
    ),
    ("lost reference", "title: c\ncorrelation:\n  type: temporal\n  rules: [nobody]\n  timespan: 5m\n", 4, "refers to 'nobody'"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_wrong_rule_is_named_and_the_others_run(tmp_path: Path, text: str, line: int, reason: str) -> None:
    (tmp_path / "bad.yml").write_text(text, "utf-8")
    (tmp_path / "good.yml").write_text(GOOD, "utf-8")
    engine = SigmaEngine.load([tmp_path])
    assert [info.title for info in engine.rules] == ["Rule 1"]
    (failure,) = engine.failures
    assert failure.file == str(tmp_path / "bad.yml")
    assert reason in failure.reason
    assert failure.line == line
    assert len(engine.match(event(f="x"))) == 1


def test_files_that_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "binary.yml").write_bytes(b"title: \xff\xfe\x00")
    (tmp_path / "empty.yml").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"not a rule")
    (tmp_path / "broken.tar.gz").write_bytes(b"\x1f\x8b\x08 not really")
    (tmp_path / "broken.zip").write_bytes(b"PK not really")
    engine = SigmaEngine.load([tmp_path, tmp_path / "absent.yml"])
    assert engine.rules == []
    reasons = {Path(failure.file).name: failure.reason for failure in engine.failures}
    assert set(reasons) == {"binary.yml", "broken.tar.gz", "broken.zip", "absent.yml"}
    assert "not UTF-8" in reasons["binary.yml"]


def test_laughing_aliases_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "laugh.yml").write_text("\n".join(lines), "utf-8")
    started = time.monotonic()
    assert "more than" in SigmaEngine.load([tmp_path]).failures[0].reason
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("opening", ["[", "- "])
def test_nesting_that_ends_libyaml_is_refused(tmp_path: Path, opening: str) -> None:
    """100,000 levels overflow the stack of libyaml, and with it the process that loads the rules of a set."""
    (tmp_path / "deep.yml").write_text("title: deep\ndetection:\n  a:\n    " + opening * 100_000)
    engine = engine_of(tmp_path, rule({"selection": {"a": "b"}, "condition": "selection"}))
    assert [Path(failure.file).name for failure in engine.failures] == ["deep.yml"]
    assert "nested deeper than" in engine.failures[0].reason
    assert len(engine.rules) == 1


def _tarball(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("rules/link.yml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


def test_rules_in_archives_stay_in_memory(tmp_path: Path) -> None:
    _tarball(tmp_path / "rules.tar.gz", {"rules/a.yml": GOOD.encode(), "../../escape.yml": GOOD.encode(), "LICENSE": b"text"})
    with zipfile.ZipFile(tmp_path / "rules.zip", "w") as archive:
        archive.writestr("b.yml", GOOD)
    before = sorted(tmp_path.parent.rglob("*"))
    engine = SigmaEngine.load([tmp_path / "rules.tar.gz", tmp_path / "rules.zip"])
    assert not engine.failures
    assert [info.file.partition("!")[2] for info in engine.rules] == ["rules/a.yml", "../../escape.yml", "b.yml"]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_archive_bombs_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_TOTAL_BYTES", 8 * 1024 * 1024)
    _tarball(tmp_path / "bomb.tar.gz", {"a.yml": GOOD.encode(), "bomb.bin": bytes(64 * 1024 * 1024), "b.yml": GOOD.encode()})
    _tarball(tmp_path / "large.tar.gz", {"large.yml": bytes(3 * 1024 * 1024)})
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.yml", b" " * (source.MAX_RULE_BYTES - 1))
    (tmp_path / "endless.tar.gz").write_bytes(gzip.compress(bytes(80 * 1024 * 1024)))
    engine = SigmaEngine.load([tmp_path])
    assert len(engine.rules) == 1
    reasons = {Path(failure.file.partition("!")[0]).name: failure.reason for failure in engine.failures}
    assert "unpacks to more than" in reasons["bomb.tar.gz"]
    assert "is larger than" in reasons["large.tar.gz"]
    assert "unpacks to more than" in reasons["bomb.zip"]


def test_archives_of_many_members_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_MEMBERS", 10)
    _tarball(tmp_path / "many.tar.gz", {f"{number}.yml": GOOD.encode() for number in range(30)})
    engine = SigmaEngine.load([tmp_path])
    assert len(engine.rules) == 10
    assert "more than 10 members" in engine.failures[0].reason


def test_every_rule_document_of_a_file_is_loaded(tmp_path: Path) -> None:
    common = "action: global\ntitle: Two\nlogsource: {product: liandun, service: test}\nlevel: low\n"
    parts = ["detection: {s: {f: a}, condition: s}\nid: one\n", "detection: {s: {f: b}, condition: s}\nid: two\n"]
    (tmp_path / "two.yml").write_text("---\n".join([common, *parts]), "utf-8")
    engine = SigmaEngine.load([tmp_path])
    assert [(info.id, info.title) for info in engine.rules] == [("one", "Two"), ("two", "Two")]
    assert [found.rule_id for found in engine.match(event(f="b"))] == ["two"]


def test_wrong_metadata_is_a_warning_only(tmp_path: Path) -> None:
    document = rule({"s": {"f": "x"}, "condition": "s"}) | {"level": "terrible", "tags": "attack.t1059", "date": "yesterday"}
    engine = engine_of(tmp_path, document)
    assert engine.rules[0].level == "medium"
    assert engine.rules[0].tags == ["attack.t1059"]
    assert len(engine.rules[0].warnings) == 2
    assert engine.match(event(f="x"))


# --- regular expressions that could run for ever ------------------------------------------------------------------------------

EVIL = [
    "(a+)+$",
    "(a*)*b",
    "(a|aa)+$",
    "(.*a){20}",
    "((ab)*)*c",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    ".*.*.*.*.*.*.*.*x",
    "(?:a?){30}a{30}$",
    "(?:a{1,16}){1,16}$",
    "(?:a?){16}(?:a?){16}a{32}$",
    "a*a*a*a*a*a*a*b",
]
NOT_FOR_AUTOMATA = [r"(a*)(a*)(a*)(a*)(a*)b\1", "(?=" + "a?" * 28 + "a" * 28 + "$)", r"(?:a?){30}a{30}(b)\1"]


@pytest.mark.parametrize("pattern", EVIL)
def test_evil_patterns_are_seen(pattern: str) -> None:
    assert backtracking_risk(pattern) == EXPONENTIAL


@pytest.mark.parametrize(
    ("pattern", "risk"),
    [("abc", LINEAR), (r"\d{1,3}(\.\d{1,3}){3}", LINEAR), (r"(foo|bar)+x", LINEAR), (r"a.*b", LINEAR), (r"a.*b.*c", POLYNOMIAL)],
)
def test_usual_patterns_pass(pattern: str, risk: int) -> None:
    assert backtracking_risk(pattern) == risk


@pytest.mark.parametrize("pattern", NOT_FOR_AUTOMATA)
def test_evil_patterns_that_only_re_can_run_are_refused(tmp_path: Path, pattern: str) -> None:
    engine = engine_of(tmp_path, rule({"s": {"f|re": pattern}, "condition": "s"}))
    assert "can take exponential time" in engine.failures[0].reason


@pytest.mark.parametrize(
    "pattern", ["(.{1,1000}a){5}", "(?:.{0,100}[ab].{0,100}){10}(?:.{0,100}[cd].{0,100}){10}", "a{3000}b{3000}"]
)
def test_patterns_whose_automaton_would_take_long_to_make_are_refused(tmp_path: Path, pattern: str) -> None:
    started = time.monotonic()
    engine = engine_of(tmp_path, rule({"s": {"f|re": pattern}, "condition": "s"}))
    assert "is too large" in engine.failures[0].reason
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("pattern", EVIL)
def test_evil_patterns_do_not_hang_with_hyperscan(tmp_path: Path, pattern: str) -> None:
    engine = engine_of(tmp_path, rule({"s": {"f|re": pattern}, "condition": "s"}))
    started = time.monotonic()
    for _ in range(3):
        engine.match(event(f="a" * 3_000 + "!"))
        engine.match(event(f=["a" * 3_000 + "!", "ab" * 2_000]))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("pattern", EVIL)
def test_evil_patterns_are_refused_without_hyperscan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setenv("LIANDUN_NO_HYPERSCAN", "1")
    engine = engine_of(tmp_path, rule({"s": {"f|re": pattern}, "condition": "s"}))
    assert "can take exponential time" in engine.failures[0].reason
    assert engine.failures[0].line == 11


def test_an_evil_pattern_that_hyperscan_cannot_run_is_refused(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, rule({"s": {"f|re": r"(?=x)(a+)+\1$"}, "condition": "s"}))
    assert engine.rules == []
    assert "can take exponential time" in engine.failures[0].reason


# --- cache --------------------------------------------------------------------------------------------------------------------


def test_cache_is_private_and_gives_the_same_engine(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    detection = {"s": {"f|contains": ["abc", "def"], "g|re": "x+y"}, "condition": "s"}
    first = engine_of(tmp_path / "rules", rule(detection), cache_dir=cache)
    assert first.match(event(f="xABCx", g="axxy"))
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    second = SigmaEngine.load([tmp_path / "rules"], cache_dir=cache)
    assert second.rules == first.rules
    assert second.match(event(f="xABCx", g="axxy"))


def test_plans_come_from_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    documents = [
        rule(
            {"s": {"f|contains": ["abc", "def"]}, "t": {"g": "x"}, "u": {"h|cidr": "10.0.0.0/8"}, "condition": cond}, number=number
        )
        for number, cond in enumerate(["s or t", "s and not t", "(s or t) and (t or u)", "not s", "u and (s or t) and (s or u)"])
    ]
    events = [
        event(f=f, g=g, h=h) for f in ("xabc", "no", "") for g in ("x", "y") for h in ("10.1.1.1", "11.1.1.1", ["", "10.2.2.2"])
    ]
    first = engine_of(tmp_path / "rules", *documents, cache_dir=cache)
    expected = [first.match_rules(one) for one in events]
    assert any(expected)
    second = SigmaEngine.load([tmp_path / "rules"], cache_dir=cache)
    assert [second.match_rules(one) for one in events] == expected
    assert (first.snapshot()["plans_built"], second.snapshot()["plans_built"]) == (1, 0)


def test_cache_is_trimmed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    artifacts = Artifacts(cache)
    for number in range(5):
        artifacts.write(f"rules-{number}", b"x")
        os.utime(cache / f"rules-{number}", (number, number))
    artifacts.write("plan-1", b"x")
    artifacts.trim({"rules": 2, "plan": 2})
    assert sorted(path.name for path in cache.iterdir()) == ["plan-1", "rules-3", "rules-4"]


def test_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    detection = {"s": {"f|contains": ["abc", "def"], "g|re": "x+y"}, "condition": "s"}
    engine_of(tmp_path / "rules", rule(detection), cache_dir=cache).match(event(f="abc", g="xy"))
    files = list(cache.iterdir())
    assert files
    for file in files:
        file.write_bytes(b"damaged" + file.read_bytes()[7:-3])
    engine = SigmaEngine.load([tmp_path / "rules"], cache_dir=cache)
    assert engine.match(event(f="abc", g="xy"))


def test_cache_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    os.chmod(cache, 0o777)
    assert fires(tmp_path / "rules", {"s": {"f": "x"}, "condition": "s"}, {"f": "x"})
    engine_of(tmp_path / "rules", rule({"s": {"f": "x"}, "condition": "s"}), cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_changed_rules_are_compiled_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    engine_of(tmp_path / "rules", rule({"s": {"f": "x"}, "condition": "s"}), cache_dir=cache)
    engine = engine_of(tmp_path / "rules", rule({"s": {"f": "y"}, "condition": "s"}), cache_dir=cache)
    assert engine.match(event(f="y"))
    assert not engine.match(event(f="x"))


def test_placeholders_belong_to_the_cache_key(tmp_path: Path) -> None:
    document = rule({"s": {"f|expand": "%who%"}, "condition": "s"})
    cache = tmp_path / "cache"
    assert engine_of(tmp_path / "rules", document, cache_dir=cache).failures
    assert engine_of(tmp_path / "rules", document, cache_dir=cache, placeholders={"who": ["x"]}).match(event(f="x"))
