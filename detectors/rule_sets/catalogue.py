"""What rules there are: one line for each Sigma, YARA and Suricata rule below some folders, and what could not be loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import yara

from detectors.sigma.engine import SigmaEngine
from detectors.sigma.rule import RuleFailure

_YARA_ERROR = re.compile(r"\((\d+)\):\s*(.*)$", re.DOTALL)
_SURICATA_RULE = re.compile(r"^(?P<off>#\s*)?(?:alert|drop|reject|reject(?:src|dst|both)|pass)\s[^(]+\((?P<options>.+)\)\s*$")
_SURICATA_OPTION = re.compile(r"(\w[\w.]*):\s*((?:\"(?:[^\"\\]|\\.)*\"|[^;])*);")
_LEVEL_OF_SEVERITY = {"critical": "critical", "major": "high", "minor": "medium", "informational": "informational"}


class Entry(msgspec.Struct, frozen=True):
    """One rule. ``active`` is False for a Suricata rule that is commented out and a Sigma rule that only feeds a correlation.

    ``title_zh``: the title in Chinese where the rule has one (``title_zh`` in Sigma and in Suricata's metadata,
    ``description_zh`` in YARA).
    """

    engine: str
    id: str
    title: str
    level: str
    status: str
    tags: tuple[str, ...]
    author: str
    file: str
    active: bool = True
    title_zh: str = ""


class Catalogue(msgspec.Struct):
    """All rules and all failures, in order of engine and file."""

    entries: list[Entry]
    failures: list[RuleFailure]


def read_catalogue(folders: Sequence[Path], *, cache_dir: Path | None = None, engine: str = "") -> Catalogue:
    """Catalogue of the rules below ``folders``; ``engine`` limits it to sigma, yara or suricata. Never raises for a bad rule."""
    catalogue = Catalogue([], [])
    if engine in ("", "sigma"):
        loaded = SigmaEngine.load(list(folders), cache_dir=cache_dir)
        catalogue.failures += loaded.failures
        for rule in loaded.rules:
            catalogue.entries.append(
                Entry(
                    "sigma",
                    rule.id,
                    rule.title,
                    rule.level,
                    rule.status,
                    tuple(rule.tags),
                    rule.author,
                    rule.file,
                    rule.reported,
                    rule.title_zh,
                )
            )
    if engine in ("", "yara"):
        for path in _files(folders, (".yar", ".yara")):
            _read_yara(path, catalogue)
    if engine in ("", "suricata"):
        for path in _files(folders, (".rules",)):
            _read_suricata(path, catalogue)
    return catalogue


def _files(folders: Sequence[Path], endings: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        candidates = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        yield from (path for path in candidates if path.name.lower().endswith(endings) and path.is_file())


def _read_yara(path: Path, catalogue: Catalogue) -> None:
    try:
        rules = yara.compile(filepath=str(path), includes=False)
    except yara.Error as error:
        found = _YARA_ERROR.search(str(error))
        line, reason = (int(found[1]), found[2]) if found else (1, str(error))
        catalogue.failures.append(RuleFailure(str(path), line, reason))
        return
    for rule in rules:
        meta = {str(name).lower(): str(value) for name, value in rule.meta.items()}
        tags = tuple(f"attack.{word.strip().lower()}" for word in meta.get("attack", "").split(",") if word.strip())
        level = meta.get("level") or meta.get("severity") or "medium"
        title = meta.get("description") or rule.identifier
        entry = Entry(
            "yara",
            rule.identifier,
            title,
            level.lower(),
            "",
            tags,
            meta.get("author", ""),
            str(path),
            title_zh=meta.get("description_zh", ""),
        )
        catalogue.entries.append(entry)


def _read_suricata(path: Path, catalogue: Catalogue) -> None:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        catalogue.failures.append(RuleFailure(str(path), 1, f"cannot be read: {error.strerror}"))
        return
    for number, line in enumerate(lines, 1):
        text = line.strip()
        match = _SURICATA_RULE.match(text)
        if match is None:
            if text and not text.startswith("#"):
                catalogue.failures.append(
                    RuleFailure(str(path), number, "not a Suricata rule: action, header and (options) expected")
                )
            continue
        options = {name: value.strip().strip('"') for name, value in _SURICATA_OPTION.findall(match["options"])}
        if "sid" not in options:
            if match["off"] is None:
                catalogue.failures.append(RuleFailure(str(path), number, "a Suricata rule without sid"))
            continue
        metadata = dict(pair.strip().partition(" ")[::2] for pair in options.get("metadata", "").split(","))
        technique = metadata.get("mitre_technique_id", "").lower().replace("_", ".")
        level = _LEVEL_OF_SEVERITY.get(metadata.get("signature_severity", "").lower(), "medium")
        tags = (f"attack.{technique}",) if technique else ()
        title = options.get("msg", "")
        active, title_zh = match["off"] is None, metadata.get("title_zh", "")
        entry = Entry("suricata", options["sid"], title, level, "", tags, "", str(path), active, title_zh)
        catalogue.entries.append(entry)
