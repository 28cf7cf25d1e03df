"""Exports: whole, harmless, described, through the contract alone and by the lake's own way."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest

from crypto.sm3 import sm3
from kernel.errors import QueryError, StoreError
from kernel.event import event_id
from kernel.query import parse_query
from kernel.store.contract import Commit, Page, TimeRange
from kernel.store.export import export
from kernel.store.lake import Lake
from tests.kernel.store.contract_suite import ALWAYS, event

ROWS = 12_500


class PagesOnly:
    """A store that has only what the contract says."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def search(self, *arguments: Any, **named: Any) -> Page:
        return self.lake.search(*arguments, **named)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = Lake.open(tmp_path_factory.mktemp("export") / "lake", writable=True)
    for part in range(3):
        numbers = range(part * 5000, min(ROWS, part * 5000 + 5000))
        lake.commit(
            Commit(
                [
                    event(n % 3000, message=f"line {n}", source__port=n % 60_000, tags=["a", f"t{n % 3}"], x__note=n)
                    | {"event.id": event_id("export", n)}
                    | ({"user.name": "=cmd|' /C calc'!A0", "x.rare": [1, 2]} if n == 77 else {})
                    for n in numbers
                ]
            )
        )
        if part == 1:
            lake.compact(everything=True)
    yield lake
    lake.close()


@pytest.fixture(params=["pages", "scan"])
def store(request: pytest.FixtureRequest, lake: Lake) -> Any:
    return PagesOnly(lake) if request.param == "pages" else lake


def truth(lake: Lake, text: str = "*") -> dict[str, dict[str, Any]]:
    events = lake.search(parse_query(text), ALWAYS, limit=100_000, fields=["*"]).events
    return {found["event.id"]: found for found in events}


def test_json_lines_are_the_events(store: Any, lake: Lake, tmp_path: Path) -> None:
    told: list[int] = []
    manifest = export(store, parse_query("*"), ALWAYS, tmp_path / "x.jsonl", "jsonl", progress=told.append)
    lines = [orjson.loads(line) for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    assert {line["event.id"]: line for line in lines} == truth(lake)
    assert manifest.rows == len(lines) == told[-1] == ROWS
    assert manifest.sm3 == sm3((tmp_path / "x.jsonl").read_bytes()).hex()
    assert orjson.loads((tmp_path / "x.jsonl.manifest.json").read_bytes())["sm3"] == manifest.sm3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jsonl", "x.jsonl.manifest.json"]


def test_parquet_has_a_column_for_every_field(store: Any, lake: Lake, tmp_path: Path) -> None:
    export(store, parse_query("message:line"), ALWAYS, tmp_path / "x.parquet", "parquet")
    rows = {row["event.id"]: row for row in pq.read_table(tmp_path / "x.parquet").to_pylist()}
    expected = truth(lake)
    assert rows.keys() == expected.keys()
    for identifier, row in rows.items():
        whole = expected[identifier]
        assert row["@timestamp"].isoformat(timespec="microseconds").replace("+00:00", "Z") == whole["@timestamp"]
        assert (row["source.port"], row["message"]) == (whole["source.port"], whole["message"])
        assert orjson.loads(row["tags"]) == whole["tags"]
        assert row["x.note"] == str(whole["x.note"])
    assert [row["x.rare"] for row in rows.values() if row["x.rare"]] == ["[1,2]"]
    answer = duckdb.sql(f"""SELECT count(*), sum("source.port") FROM '{tmp_path / "x.parquet"}'""").fetchall()
    assert answer == [(ROWS, sum(n % 60_000 for n in range(ROWS)))]


def test_csv_has_the_wanted_columns_and_no_formula(store: Any, lake: Lake, tmp_path: Path) -> None:
    export(store, parse_query("_exists_:user.name"), ALWAYS, tmp_path / "x.csv", "csv", ["user.name", "x.rare", "nowhere"])
    assert list(csv.reader((tmp_path / "x.csv").open(newline=""))) == [
        ["user.name", "x.rare", "nowhere"],
        ["'=cmd|' /C calc'!A0", "1, 2", ""],
    ]
    export(store, parse_query("message:*77"), ALWAYS, tmp_path / "all.csv", "csv")
    rows = list(csv.DictReader((tmp_path / "all.csv").open(newline="")))
    assert len(rows) == lake.count(parse_query("message:*77"), ALWAYS)
    assert set(rows[0]) == {"@timestamp", "event.id", "message", "source.port", "tags", "user.name", "x.note", "x.rare"}


@pytest.mark.parametrize("fields", [("*",), ("source.port", "event.severity", "source.bytes", "process.pid", "@timestamp")])
def test_a_value_that_its_parquet_column_cannot_hold_is_kept_beside_and_counted(tmp_path: Path, fields: tuple[str, ...]) -> None:
    odd: list[dict[str, Any]] = [
        {"source.port": 443, "event.severity": 5},
        {"source.port": "https", "event.severity": 1.5},
        {"source.port": [80, 443], "source.bytes": 2**63},
        {"source.port": True, "process.pid": ""},
        {},
    ]
    lake = Lake.open(tmp_path / "lake", writable=True)
    lake.commit(Commit([event(n) | found for n, found in enumerate(odd)]))
    manifest = export(lake, parse_query("*"), ALWAYS, tmp_path / "x.parquet", "parquet", fields)
    assert manifest.misfits == {"event.severity": 1, "process.pid": 1, "source.bytes": 1, "source.port": 3}
    assert orjson.loads((tmp_path / "x.parquet.manifest.json").read_bytes())["misfits"] == manifest.misfits
    rows = sorted(pq.read_table(tmp_path / "x.parquet").to_pylist(), key=lambda row: row["@timestamp"])
    for row, found in zip(rows, odd, strict=True):
        beside = orjson.loads(row.pop("liandun.misfits") or "{}")
        assert {name: value for name, value in row.items() if value is not None and name in found} | beside == found
    assert [row["source.port"] for row in rows] == [443, None, None, None, None]
    assert export(lake, parse_query("*"), ALWAYS, tmp_path / "x.csv", "csv").misfits == {}
    lake.close()


def test_a_time_range_and_the_fields_of_the_query_count(store: Any, tmp_path: Path) -> None:
    when = TimeRange("2026-11-23T04:10:00.000000Z", "2026-11-23T04:11:00.000000Z")
    manifest = export(store, parse_query("* | fields message"), when, tmp_path / "x.csv", "csv")
    assert manifest.fields == ["message"]
    assert (manifest.start, manifest.end, manifest.query) == (when.start, when.end, "* | fields message")
    assert manifest.rows == 60 * 4  # four rounds of 3,000 seconds are whole, the fifth ends before


def test_nothing_found_is_an_empty_file_all_the_same(store: Any, tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "parquet"):
        assert export(store, parse_query("zerologon"), ALWAYS, tmp_path / f"x.{form}", form, ["message"]).rows == 0
        assert (tmp_path / f"x.{form}").exists()


def test_what_fails_leaves_the_old_file_alone(store: Any, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("old")
    with pytest.raises(QueryError, match="only events can be exported"):
        export(store, parse_query("* | top message"), ALWAYS, tmp_path / "x.csv", "csv")

    def broken(rows: int) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        export(store, parse_query("*"), ALWAYS, tmp_path / "x.csv", "csv", progress=broken)
    with pytest.raises(StoreError, match="cannot write"):
        export(store, parse_query("*"), ALWAYS, tmp_path / "no" / "x.csv", "csv")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.csv", "old")]


def test_memory_does_not_grow_with_the_export(lake: Lake, tmp_path: Path) -> None:
    def peak(text: str) -> int:
        tracemalloc.start()
        export(lake, parse_query(text), ALWAYS, tmp_path / "x.parquet", "parquet")
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    few, many = peak("x.note:<5000"), peak("*")
    assert many < 2.5 * few


def test_damage_is_told(lake: Lake, tmp_path: Path) -> None:
    broken = Lake.open(tmp_path / "lake", writable=True)
    for part in range(2):
        broken.commit(Commit([event(part * 10 + n) for n in range(10)]))
    (tmp_path / "lake" / "hot" / "0000000001.parquet").write_bytes(b"")
    manifest = export(broken, parse_query("*"), ALWAYS, tmp_path / "x.jsonl", "jsonl")
    assert (manifest.rows, manifest.damaged) == (10, ["hot/0000000001.parquet"])
    broken.close()
