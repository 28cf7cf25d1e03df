"""``liandun search`` and ``liandun store`` on a real lake."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from cli.search import command as search
from cli.search import csv_row, time_range
from cli.store import command as store
from kernel.event import event_id
from kernel.store.contract import Commit, Quarantined
from kernel.store.lake import Lake


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lake = Lake.open(tmp_path / "lake", writable=True, demo=True)
    events = [
        {
            "@timestamp": f"2026-11-23T04:00:{n:02d}.000000Z",
            "event.id": event_id(n),
            "event.dataset": "test",
            "user.name": "=cmd|' /C calc'!A0" if n == 5 else "li",
            "message": f"line {n}\x1b[31m\nnext",
            "custom.x": [n, "a"],
        }
        for n in range(10)
    ]
    broken = Quarantined("q1", "2026-11-23T04:00:00.000000Z", "syslog", "192.0.2.1:514", "no priority", b"\xff<bad>\x1b[2J")
    lake.commit(Commit(events, quarantined=[broken], counters={"stored": 10}))
    lake.close()
    return tmp_path


def run(command: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))  # type: ignore[arg-type]


def test_jsonl_gives_whole_events_newest_first(data: Path) -> None:
    result = run(search, "custom.x:>=7", "--format", "jsonl", "--data", str(data))
    lines = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert [line["custom.x"] for line in lines] == [[9, "a"], [8, "a"], [7, "a"]]
    assert result.exit_code == 0


def test_csv_cannot_run_a_formula(data: Path) -> None:
    result = run(search, "user.name:*calc*", "--format", "csv", "--fields", "user.name,custom.x", "--data", str(data))
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows == [["user.name", "custom.x"], ["'=cmd|' /C calc'!A0", "5, a"]]
    assert csv_row(["-5", "@SUM(1)", "+1.5", "\tx"]).strip("\r\n") == "-5,'@SUM(1),+1.5,'\tx"


def test_table_has_no_control_characters(data: Path) -> None:
    result = run(search, "line", "--limit", "2", "--data", str(data))
    assert result.stdout.count("line") == 2
    assert "\x1b" not in result.stdout
    assert "2 rows" in result.stderr


def test_a_long_message_squeezes_no_other_column(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", writable=True, demo=True)
    event = {"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": event_id(1), "host.name": "server-of-the-water-works"}
    event |= {"source.ip": "2001:db8:1234:5678:9abc:def0:1234:5678", "message": "kernel: " + "x" * 5000}
    lake.commit(Commit([event]))
    lake.close()
    result = run(search, "--data", str(tmp_path))
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    for whole in ("2026-11-23T04:00:00.000000Z", "server-of-the-water-works", "2001:db8:1234:5678:9abc:def0:1234:5678"):
        assert whole in lines[1]
    assert "kernel: xxxxxxxxxxxxxxxxxxxx" in lines[1]
    assert lines[1].endswith("…")
    assert len(lines[1]) <= 240


def test_limit_over_pages(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.search._PAGE", 3)
    result = run(search, "*", "--format", "jsonl", "--limit", "8", "--data", str(data))
    assert [orjson.loads(line)["custom.x"][0] for line in result.stdout.splitlines()] == [9, 8, 7, 6, 5, 4, 3, 2]


def test_time_options(data: Path) -> None:
    result = run(search, "* | count", "--from", "2026-11-23T12:00:02+08:00", "--to", "2026-11-23 04:00:05", "--data", str(data))
    assert result.stdout.strip() == "3"
    assert run(search, "* | count", "--last", "5x", "--data", str(data)).exit_code == 2
    assert run(search, "* | count", "--from", "now", "--data", str(data)).exit_code == 2
    assert time_range(None, "2026-11-23", None).start == "2026-11-23T00:00:00.000000Z"


def test_pipes(data: Path) -> None:
    result = run(search, "* | top custom.x 2", "--format", "jsonl", "--data", str(data))
    assert [orjson.loads(line) for line in result.stdout.splitlines()] == [
        {"custom.x": "a", "count": 10},
        {"custom.x": 0, "count": 1},
    ]
    result = run(search, "* | histogram 5s", "--format", "csv", "--data", str(data))
    assert [row[1] for row in csv.reader(io.StringIO(result.stdout))] == ["count", "5", "5"]


def test_a_mistake_is_shown_under_its_place(data: Path) -> None:
    result = run(search, "user.name:li AND (x", "--data", str(data))
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[1].index("(") == lines[2].index("^")


def test_verify_names_the_changed_segment_and_fails(data: Path) -> None:
    assert run(store, "verify", "--data", str(data)).exit_code == 0
    segment = next((data / "lake" / "hot").glob("*.parquet"))
    content = bytearray(segment.read_bytes())
    content[100] ^= 1
    segment.write_bytes(content)
    result = run(store, "verify", "--data", str(data))
    assert result.exit_code == 1
    assert f"segment hot/{segment.name} was changed" in result.stdout


def test_a_damaged_segment_makes_search_fail_after_showing_the_rest(data: Path) -> None:
    lake = Lake.open(data / "lake", writable=True)
    lake.commit(Commit([{"@timestamp": "2026-11-24T00:00:00.000000Z", "event.id": "f" * 32, "message": "whole"}]))
    lake.close()
    (data / "lake" / "hot" / "0000000001.parquet").write_bytes(b"x" * 100)
    result = run(search, "*", "--format", "jsonl", "--data", str(data))
    assert result.exit_code == 1
    assert '"whole"' in result.stdout
    assert "hot/0000000001.parquet" in result.stderr


def test_quarantine_stats_and_retention(data: Path) -> None:
    result = run(store, "quarantine", "--data", str(data))
    assert "no priority" in result.stdout
    assert "\\xff<bad>" in result.stdout
    assert "\x1b" not in result.stdout
    assert orjson.loads(run(store, "statistics", "--data", str(data)).stdout)["counters"] == {"stored": 10}
    refused = run(store, "retain", "--days", "30", "--data", str(data))
    assert refused.exit_code == 1
    assert "第二十一条" in str(refused.exception)


def test_compact_is_refused_while_the_platform_writes(data: Path) -> None:
    lake = Lake.open(data / "lake", writable=True)
    assert "already being written" in str(run(store, "compact", "--data", str(data)).exception)
    lake.close()
    assert run(store, "compact", "--everything", "--data", str(data)).exit_code == 0


def test_an_export_with_its_manifest(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "hits.csv"
    result = run(store, "export", "line", "--fields", "@timestamp,user.name", "--out", str(out), "--data", str(data))
    assert result.exit_code == 0
    manifest = orjson.loads((tmp_path / "hits.csv.manifest.json").read_text())
    told = f"10 events, {out.stat().st_size} bytes in {out}; what was asked and its SM3 in hits.csv.manifest.json\n"
    assert result.stdout == told
    assert (manifest["rows"], manifest["format"], manifest["query"]) == (10, "csv", "line")
    assert out.read_text().splitlines()[0] == "@timestamp,user.name"
    nameless = run(store, "export", "--out", str(tmp_path / "hits.xlsx"), "--data", str(data))
    assert nameless.exit_code == 2
    assert "Give --format" in nameless.output
