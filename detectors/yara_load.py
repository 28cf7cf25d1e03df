"""YARA rule files → compiled rules. What does not compile is named with file, line and reason; the rest runs.

Each file is a namespace of its own, so equal rule names in different files do not collide. ``include`` is off: a rule file must not
read other files of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yara

EXTERNALS = {"filename": "", "filepath": "", "extension": "", "filetype": "", "owner": "", "md5": ""}
"""Variables that LOKI/THOR rule sets (signature-base) expect from the scanner, with their types."""

_SUFFIXES = (".yar", ".yara")
_RULE = re.compile(r"^\s*(?:(?:private|global)\s+)*rule\s+(\w+)", re.MULTILINE)
_LINE = re.compile(r"\bline (\d+)\)?: (.*)$", re.DOTALL)


class YaraFailure(msgspec.Struct, frozen=True):
    """A rule or file that could not be loaded; ``line`` is 1-based, 0 where there is none."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


class YaraRule(msgspec.Struct, frozen=True):
    """What the rules page shows of a loaded rule."""

    id: str
    name: str
    namespace: str
    file: str
    tags: list[str]
    meta: dict[str, Any]


class LoadedYara(msgspec.Struct):
    """Result of :func:`load_rules`; ``compiled`` is None when no rule at all is left."""

    compiled: yara.Rules | None
    rules: list[YaraRule]
    files: dict[str, str]  # namespace → file
    failures: list[YaraFailure]


def load_rules(paths: Sequence[Path]) -> LoadedYara:
    """Load files and folders (``*.yar``, ``*.yara``, recursively)."""
    failures: list[YaraFailure] = []
    sources: dict[str, str] = {}
    files: dict[str, str] = {}
    rules: list[YaraRule] = []
    for path in _rule_files(paths, failures):
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode("utf-8")
        except OSError as error:
            failures.append(YaraFailure(str(path), 0, f"cannot be read: {error.strerror}"))
            continue
        good = _compilable(text, str(path), failures)
        if good is not None:
            namespace = _namespace(path, files)
            sources[namespace], files[namespace] = good[0], str(path)
            rules += [_described(rule, namespace, str(path)) for rule in good[1]]
    if not sources:
        return LoadedYara(None, [], files, failures)
    compiled = yara.compile(sources=sources, externals=EXTERNALS, includes=False)
    return LoadedYara(compiled, rules, files, failures)


def _rule_files(paths: Iterable[Path], failures: list[YaraFailure]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update((file, None) for file in sorted(path.rglob("*")) if file.suffix in _SUFFIXES and file.is_file())
        elif path.is_file():
            found[path] = None
        else:
            failures.append(YaraFailure(str(path), 0, "no such file or folder"))
    return list(found)


def _namespace(path: Path, taken: dict[str, str]) -> str:
    """The file's stem, with its folder (and then a number) where that is taken."""
    for candidate in (path.stem, f"{path.parent.name}.{path.stem}"):
        if candidate not in taken:
            return candidate
    number = 2
    while f"{path.parent.name}.{path.stem}.{number}" in taken:
        number += 1
    return f"{path.parent.name}.{path.stem}.{number}"


def _described(rule: Any, namespace: str, file: str) -> YaraRule:
    return YaraRule(f"yara:{namespace}:{rule.identifier}", rule.identifier, namespace, file, list(rule.tags), dict(rule.meta))


def _compilable(text: str, file: str, failures: list[YaraFailure]) -> tuple[str, list[Any]] | None:
    """The text without what does not compile (line numbers kept) and its rules, or None when nothing is left."""
    for _ in range(len(_RULE.findall(text)) + text.count("\n") + 2):
        try:
            rules = list(yara.compile(source=text, externals=EXTERNALS, includes=False))
        except ValueError as error:  # a NUL byte, say
            failures.append(YaraFailure(file, 0, f"not a rule file: {error}"))
            return None
        except yara.Error as error:
            place = _LINE.search(str(error))
            line, reason = (int(place.group(1)), place.group(2)) if place else (0, str(error))
            failures.append(YaraFailure(file, line, reason))
            without = _without(text, line)
            if without == text:
                return None
            text = without
        else:
            if rules:
                return text, rules
            if text.strip():
                failures.append(YaraFailure(file, 0, "holds no rule"))
            return None
    return None


def _without(text: str, line: int) -> str:
    """Blank the rule that holds ``line``, or the line alone when it stands before all rules (an import)."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return text
    starts = [text.count("\n", 0, match.end()) for match in _RULE.finditer(text)]  # 0-based lines
    before = [start for start in starts if start < line]
    after = [start for start in starts if start >= line]
    first, last = (before[-1], after[0] if after else len(lines)) if before else (line - 1, line)
    return "\n".join("" if first <= number < last else content for number, content in enumerate(lines))
