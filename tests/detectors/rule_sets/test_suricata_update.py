"""Merging Suricata rules by the real suricata-update, and the real engine's verdict on them."""

from __future__ import annotations

import gzip
import shutil
import socket
import threading
from pathlib import Path

import pytest

from collectors.suricata.config import SensorSettings, render_config
from detectors.rule_sets.archive import Limits, RuleFile, read_rule_files
from detectors.rule_sets.engine_check import Refused, refused_rules, without
from detectors.rule_sets.suricata_update import DECISIONS, merge
from kernel.errors import RuleError


def rule(sid: int, rev: int = 1, action: str = "alert", more: str = "") -> str:
    return f'{action} tcp any any -> any {sid} (msg:"rule {sid} rev {rev}"; flow:established; {more}sid:{sid}; rev:{rev};)\n'


def source(name: str, *rules: str) -> RuleFile:
    return RuleFile(name, "suricata", "".join(rules).encode())


def test_sources_become_one_file_with_the_highest_revision_of_each_sid() -> None:
    first = source("et/web.rules", rule(2_000_001), rule(2_000_002, 5), "#" + rule(2_000_003))
    second = source("bureau/web.rules", rule(2_000_001, 3), rule(2_000_002, 2), rule(9_000_001))
    merged = merge([first, second], {})
    text = merged.content.decode()
    assert (merged.rules, merged.enabled) == (4, 3)
    assert "rule 2000001 rev 3" in text
    assert "rule 2000001 rev 1" not in text
    assert "rule 2000002 rev 5" in text
    assert [line for line in text.splitlines() if line.startswith("#") and "2000003" in line]


def test_the_operators_decisions_are_applied() -> None:
    files = [source("scan.rules", rule(1), "# " + rule(2), rule(3), rule(4)), source("chat.rules", rule(5), rule(6))]
    decisions = {
        "disable.conf": b"1\ngroup:chat.rules\n",
        "enable.conf": b"2\n",
        "modify.conf": b'3 "any any -> any 3" "any any -> $HOME_NET 3"\n',
        "drop.conf": b"4\n",
    }
    assert set(decisions) == set(DECISIONS)
    merged = merge(files, decisions)
    active = [line for line in merged.content.decode().splitlines() if line and not line.startswith("#")]
    assert (merged.rules, merged.enabled) == (6, 3)
    assert any(line.startswith("alert") and "sid:2;" in line for line in active)
    assert any("any any -> $HOME_NET 3" in line for line in active)
    assert any(line.startswith("drop") and "sid:4;" in line for line in active)


def test_it_never_reaches_for_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left alone it would fetch ET Open; every way out of it leads to a door of ours, at which nobody may knock."""
    knocks = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    knocks.append(door.accept()[1])
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{door.getsockname()[1]}")
        merged = merge([source("a.rules", rule(7))], {})
        done.set()
        listener.join()
    assert knocks == []
    assert merged.rules == 1  # and no event rules of the distribution


def test_names_that_are_patterns_or_paths_stay_harmless() -> None:
    merged = merge([source("../../[a-z]*.rules", rule(7)), source("x/..rules", rule(8))], {})
    assert merged.rules == 2


def test_files_without_a_rule_are_told() -> None:
    with pytest.raises(RuleError, match="no rule"):
        merge([source("a.rules", "nonsense\n")], {})


def test_a_packed_rule_file_is_read_within_the_limits(tmp_path: Path) -> None:
    packed = tmp_path / "et.rules.gz"
    packed.write_bytes(gzip.compress(rule(7).encode()))
    assert list(read_rule_files(packed)) == [RuleFile("et.rules", "suricata", rule(7).encode())]
    packed.write_bytes(gzip.compress(bytes(20 << 20)))
    with pytest.raises(RuleError, match="bomb"):
        list(read_rule_files(packed, Limits(ratio_from=1 << 20)))
    packed.write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(RuleError, match="damaged"):
        list(read_rule_files(packed))
    (tmp_path / "picture.png.gz").write_bytes(b"x")
    with pytest.raises(RuleError, match="not a packed rule file"):
        list(read_rule_files(tmp_path / "picture.png.gz"))


@pytest.mark.suricata
@pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata (apt install suricata)")
def test_the_engine_names_the_rules_it_refuses(tmp_path: Path) -> None:
    content = (rule(1) + rule(2, more="no_such_keyword:3; ") + rule(3) + rule(4, more='pcre:"/(/"; ')).encode()
    config = render_config(SensorSettings(log_dir=tmp_path, store_files=False))
    refused = refused_rules(content, config)
    assert refused is not None
    assert [(one.line, one.sid) for one in refused] == [(2, "2"), (4, "4")]
    assert "no_such_keyword" in refused[0].reason
    kept = without(content, refused)
    assert refused_rules(kept, config) == []
    assert kept.count(b"\n") == 4


def test_without_an_engine_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert refused_rules(rule(1).encode(), "") is None


def test_commenting_out_leaves_comments_and_line_numbers_alone() -> None:
    content = b"# one\ntwo\nthree"
    assert without(content, [Refused(1, "", ""), Refused(3, "", ""), Refused(9, "", "")]) == b"# one\ntwo\n# three"


def test_a_file_that_is_no_utf8_is_told_with_its_line() -> None:
    file = RuleFile("old/web.rules", "suricata", (rule(1) + rule(2, more='content:"参数"; ')).encode("gbk"))
    with pytest.raises(RuleError, match=r"old/web\.rules:2: not UTF-8"):
        merge([file], {})
