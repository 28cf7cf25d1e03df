"""The text of a rule with the places marked that made it fire."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.detection import MatchedField

MAX_LINES = 400
_KEY = re.compile(r"\s*(?:-\s+)?(?:[\w.|@-]+:\s)?")  # "- ", "Image|endswith: ", or both
MIN_CORE = 2  # shorter patterns ("*", "1") would light up half the rule


@dataclass(frozen=True)
class Line:
    """One line: pieces of text, each marked or not."""

    number: int
    pieces: tuple[tuple[str, bool], ...]

    @property
    def hit(self) -> bool:
        return any(marked for _, marked in self.pieces)


def highlight(source: str, matched: Sequence[MatchedField]) -> list[Line]:
    """Lines of the rule; a pattern is marked inside its selection where the rule names one, else anywhere below ``detection:``."""
    lines = source.splitlines()[:MAX_LINES]
    blocks = _blocks(lines)
    found = []
    for number, text in enumerate(lines):
        cores = {core for match in matched if match.selection in ("", blocks[number]) and (core := _core(match.pattern))}
        found.append(Line(number + 1, _split(text, cores) if blocks[number] or not _has_detection(lines) else ((text, False),)))
    return found


def _has_detection(lines: Sequence[str]) -> bool:
    return any(line.startswith("detection:") for line in lines)


def _blocks(lines: Sequence[str]) -> list[str]:
    """For each line the name of the search identifier it stands in ("" outside of ``detection:``)."""
    inside, indent, current = False, 0, ""
    found = []
    for line in lines:
        stripped = line.strip()
        depth = len(line) - len(line.lstrip())
        if stripped and depth == 0:
            inside, indent, current = line.startswith("detection:"), 0, ""
        elif inside and stripped and not stripped.startswith("#"):
            indent = indent or depth
            if depth == indent and (name := re.match(r"([\w-]+)\s*:", stripped)):
                current = name[1] if name[1] not in ("condition", "timeframe") else ""
        found.append(current)
    return found


def mark_value(value: str, pattern: str) -> tuple[tuple[str, bool], ...]:
    """The value of an event with the part marked that the pattern asked for; the whole of it where that cannot be told."""
    for written in _spellings(_core(pattern)):
        at = value.lower().find(written)
        if at >= 0 and len(value.lower()) == len(value):
            return _pieces(value, at, at + len(written))
    return ((value, True),)


def _core(pattern: str) -> str:
    """The literal middle of a pattern, without the wildcards that a modifier such as ``endswith`` stands for."""
    core = pattern.strip("*")
    return core.lower() if len(core.strip()) >= MIN_CORE or core.isdigit() else ""


def _spellings(core: str) -> tuple[str, ...]:
    """How a pattern may stand in YAML: as it is, with backslashes doubled or not, quotes doubled, wildcards escaped or not."""
    if not core:
        return ()
    plain = core.replace("\\?", "?").replace("\\*", "*")
    variants = (
        core,
        plain,
        core.replace("\\\\", "\\"),
        core.replace("\\", "\\\\"),
        core.replace("'", "''"),
        plain.replace("'", "''"),
    )
    return tuple(dict.fromkeys(variants))


def _split(text: str, cores: set[str]) -> tuple[tuple[str, bool], ...]:
    """The longest core that occurs in the line, behind its key, is marked."""
    lowered = text.lower()
    key = _KEY.match(text)
    start = key.end() if key else 0
    for core in sorted(cores, key=lambda each: (-len(each), each)):
        for written in _spellings(core):
            at = lowered.find(written, start)
            if at >= 0 and len(lowered) == len(text):
                return _pieces(text, at, at + len(written))
    return ((text, False),)


def _pieces(text: str, start: int, end: int) -> tuple[tuple[str, bool], ...]:
    return ((text[:start], False), (text[start:end], True), (text[end:], False))
