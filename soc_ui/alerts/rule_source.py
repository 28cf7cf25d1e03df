"""The text of a rule with the places marked that made it fire."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.detection import MatchedField

MAX_LINES = 400
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


def _core(pattern: str) -> str:
    """The literal middle of a pattern, without the wildcards that a modifier such as ``endswith`` stands for."""
    core = pattern.strip().strip("*")
    return core.lower() if len(core) >= MIN_CORE or core.isdigit() else ""


def _split(text: str, cores: set[str]) -> tuple[tuple[str, bool], ...]:
    """The longest core that occurs in the line is marked."""
    lowered = text.lower()
    for core in sorted(cores, key=lambda each: (-len(each), each)):
        for written in (core, core.replace("\\\\", "\\"), core.replace("\\", "\\\\"), core.replace("'", "''")):
            at = lowered.find(written)
            if at >= 0 and len(lowered) == len(text):
                end = at + len(written)
                return ((text[:at], False), (text[at:end], True), (text[end:], False))
    return ((text, False),)
