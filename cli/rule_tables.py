"""The tables of our own rules as Markdown, for docs/rules.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from detectors.rule_sets.catalogue import Entry


def rule_tables(entries: Sequence[Entry]) -> str:
    """One table for each engine: what raises alerts, in order of area and title (Sigma), of name or of sid."""
    sigma = sorted((one for one in entries if one.engine == "sigma" and one.active), key=lambda one: (_area(one), one.title))
    feeding = sum(one.engine == "sigma" and not one.active for one in entries)
    yara = sorted((one for one in entries if one.engine == "yara"), key=lambda one: (Path(one.file).name, one.id))
    suricata = sorted((one for one in entries if one.engine == "suricata" and one.active), key=lambda one: int(one.id))
    parts = [
        f"{len(sigma)} Sigma rules that raise alerts (and {feeding} that only feed correlations):\n",
        _table(("area", "rule", "中文", "level", "ATT&CK"), ((_area(one), *_told(one)) for one in sigma)),
        f"{len(yara)} YARA rules:\n",
        _table(("rule", "finds", "中文", "level", "ATT&CK"), ((f"`{one.id}`", *_told(one)) for one in yara)),
        f"{len(suricata)} Suricata rules:\n",
        _table(("sid", "finds", "中文", "level", "ATT&CK"), ((one.id, *_told(one)) for one in suricata)),
    ]
    return "\n".join(parts)


def _area(entry: Entry) -> str:
    return Path(entry.file).parent.name


def _told(entry: Entry) -> tuple[str, ...]:
    techniques = [tag.removeprefix("attack.").upper() for tag in entry.tags if tag.startswith("attack.t") and tag[8:9].isdigit()]
    return entry.title.removeprefix("LIANDUN "), entry.title_zh, entry.level, ", ".join(techniques)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
