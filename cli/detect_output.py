"""How detections are written: JSON lines, CSV safe for spreadsheets, or a table for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO, Final, TextIO

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal import visible
from kernel.detection import Detection, level_rank
from kernel.spreadsheet import csv_row

CSV_COLUMNS: Final = (
    "file",
    "@timestamp",
    "rule.level",
    "rule.name",
    "rule.id",
    "engine",
    "host.name",
    "user.name",
    "source.ip",
    "destination.ip",
    "process.executable",
    "process.command_line",
    "tags",
    "event.code",
    "event.id",
)
_STYLES: Final = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan", "informational": "dim"}


def hit_line(origin: str, offset: int, detection: Detection) -> bytes:
    """One detection as a JSON line."""
    return orjson.dumps(
        {
            "file": origin,
            "offset": offset,
            "event.id": detection.event.get("event.id", ""),
            "@timestamp": detection.time,
            "rule.id": detection.rule_id,
            "rule.name": detection.rule_name,
            "rule.level": detection.level,
            "rule.author": detection.author,
            "tags": detection.tags,
            "engine": detection.engine,
            "detection.id": detection.id,
            "matched": detection.matched,
            "group": detection.group,
            "event_ids": detection.event_ids,
            "event": detection.event,
        },
        default=_plain,
        option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS,
    )


def _plain(value: Any) -> Any:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def write_jsonl(lines: Iterable[bytes], out: BinaryIO) -> None:
    """The lines as they are."""
    out.writelines(lines)


def write_csv(lines: Iterable[bytes], out: TextIO) -> None:
    """A column per field of CSV_COLUMNS. A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV
    injection).
    """
    out.write(csv_row(CSV_COLUMNS, end="\n"))
    for line in lines:
        hit = orjson.loads(line)
        out.write(csv_row([_cell(hit.get(column, hit["event"].get(column, ""))) for column in CSV_COLUMNS], end="\n"))


def _cell(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def write_table(lines: Iterable[bytes], out: TextIO, *, colour: bool) -> None:
    """One row per file and rule, most severe first, with count, first time, hosts and one example of what matched."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for hit in map(orjson.loads, lines):
        row = rows.setdefault((hit["file"], hit["rule.id"]), {"hit": hit, "count": 0, "hosts": {}})
        row["count"] += 1
        row["hosts"][str(hit["event"].get("host.name") or hit["event"].get("source.ip") or "")] = None
        if hit["@timestamp"] < row["hit"]["@timestamp"]:
            row["hit"] = hit
    console = Console(file=out, force_terminal=colour, no_color=not colour, width=None if colour else 200, highlight=False)
    if not rows:
        console.print("no detections")
        return
    table = Table(header_style="bold", expand=True, pad_edge=False, box=None)
    table.add_column("level", no_wrap=True)
    table.add_column("hits", justify="right", no_wrap=True)
    table.add_column("rule", ratio=3, overflow="fold")
    table.add_column("first seen (UTC)", no_wrap=True, width=19)
    table.add_column("host", ratio=1, overflow="ellipsis", no_wrap=True)
    table.add_column("what", ratio=4, overflow="ellipsis", no_wrap=True)
    table.add_column("file", ratio=2, overflow="ellipsis", no_wrap=True)
    for (file, _), row in sorted(
        rows.items(), key=lambda one: (-level_rank(one[1]["hit"]["rule.level"]), one[0][0], one[1]["hit"]["rule.name"])
    ):
        hit = row["hit"]
        table.add_row(
            Text(hit["rule.level"], style=_STYLES.get(hit["rule.level"], "")),
            str(row["count"]),
            Text(visible(hit["rule.name"])),
            hit["@timestamp"][:19].replace("T", " "),
            Text(visible(", ".join(filter(None, row["hosts"])))),
            Text(visible(_what(hit))),
            Text(visible(file.rsplit("/", 1)[-1])),
        )
    console.print(table)


def _what(hit: dict[str, Any]) -> str:
    event = hit["event"]
    for field in (
        "process.command_line",
        "process.executable",
        "registry.path",
        "file.path",
        "dns.question.name",
        "url.original",
        "message",
    ):
        if event.get(field):
            return str(event[field])
    return next((str(matched["value"]) for matched in hit["matched"]), "")
