"""Rules and files in a process of their own: what matches, and what it does to hostile ones."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from detectors.yara_apart import names_apart, scan_apart
from kernel.errors import RuleError, StoreError

RULES = """
import "console"
rule shell : webshell { strings: $a = "eval($_POST" condition: $a }
rule named { condition: filename == "b.php" and console.log("said by a rule") }
"""


def nothing() -> None:
    """Nobody calls it off."""


def test_what_matches() -> None:
    content = b"<?php eval($_POST['x']); ?>"
    looked = scan_apart(RULES, [("/srv/www/a.php", content), ("/srv/www/b.php", b""), ("c", b"clean")], 30, nothing)
    assert looked.names == ["shell", "named"]
    assert [(one.file, one.rule, one.tags) for one in looked.matches] == [
        ("/srv/www/a.php", "shell", ["webshell"]), ("/srv/www/b.php", "named", []),
    ]  # fmt: skip
    assert looked.matches[0].sha256 == hashlib.sha256(content).hexdigest()
    assert looked.matches[0].strings == [("$a", 6, "eval($_POST")]
    assert looked.failed == {}


def test_a_rule_does_not_read_a_file_to_its_writer() -> None:
    rules = 'rule r { strings: $a = /root:[^\\n]*/ $b = "ROOT" nocase $c = { 3a 24 ?? 24 } condition: any of them }'
    looked = scan_apart(rules, [("/etc/shadow", b"root:$6$salt$hash:1::\n")], 30, nothing)
    assert looked.matches[0].strings == [("$a", 0, ""), ("$b", 0, "root"), ("$c", 4, "")]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ("rule one { condition: nothing }", "undefined identifier"),
        ('include "/etc/passwd"', "includes are disabled"),
        ("", "there are 0 rules"),
        ("rule one { condition: true }\0", ""),
        ("".join(f"rule r{number} {{ condition: true }}\n" for number in range(1_001)), "1,001 rules"),
    ],
)
def test_what_are_no_rules(rules: str, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        names_apart(rules)
    assert reason in caught.value.message


def test_a_rule_that_never_ends_ends() -> None:
    slow = "rule slow { condition: for all i in (0..900000000) : (uint8(i % filesize) == 0) }"
    began = time.monotonic()
    looked = scan_apart(slow, [("a", b"\0" * 100), ("b", b"\0" * 100)], 4, nothing)
    assert time.monotonic() - began < 8
    assert list(looked.failed) == ["a", "b"]
    assert "limit" in looked.failed["a"]


def test_what_is_called_off_ends_the_process() -> None:
    before = _children()

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        scan_apart(RULES, [("a", os.urandom(1_000_000))], 30, stop)
    assert _children() <= before


def test_more_memory_than_there_is_ends_the_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.yara_apart.MEMORY", 64 << 20)
    with pytest.raises(StoreError, match="did not come to its end"):
        scan_apart(RULES, [("a", bytes(80 << 20))], 30, nothing)


def _children() -> set[str]:
    with open(f"/proc/self/task/{os.getpid()}/children") as opened:
        return set(opened.read().split())
