"""The line of a rule file that an error is about."""

from __future__ import annotations

import re

from sigma.exceptions import SigmaConditionError, SigmaDetectionError, SigmaLogsourceError

from kernel.errors import RuleError

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")


def line_of(text: str, first_line: int, error: Exception) -> int:
    """1-based line: where something that the message quotes stands, else the section it concerns, else the document's start."""
    lines = text.splitlines()
    message = str(error.args[0]) if error.args else str(error)
    if message.lower().startswith("regular expression"):
        return _written_in(lines, _find(lines, first_line, "|re") or first_line, message) or first_line
    if "condition" in message and "orrelation" not in message:
        first_line = _find(lines, first_line, "condition:") or first_line
    for match in _QUOTED.finditer(message):
        whole_word = re.compile(rf"(?<![\w-]){re.escape(match[1] or match[2])}(?![\w-])")
        for number in range(first_line - 1, len(lines)):
            if whole_word.search(lines[number]):
                return number + 1
    placeholder = re.search(r"placeholder (\S+) has no value", message)
    if placeholder:
        return _find(lines, first_line, f"%{placeholder[1]}%") or first_line
    section = _section(error, message)
    return (_find(lines, first_line, section) if section else 0) or first_line


def _written_in(lines: list[str], first_line: int, message: str) -> int:
    """The line whose value (what follows ``- `` or ``: ``) the message repeats."""
    for number in range(first_line - 1, len(lines)):
        value = re.sub(r"^\s*(?:- )?(?:[^:'\"]+: )?", "", lines[number]).strip().strip("'\"")
        if len(value) > 1 and (value in message or value.replace("''", "'") in message):
            return number + 1
    return 0


def _section(error: Exception, message: str) -> str:
    if isinstance(error, SigmaConditionError) or "condition" in message:
        return "condition:"
    if isinstance(error, SigmaLogsourceError) or "logsource" in message:
        return "logsource:"
    if isinstance(error, RuleError) and "correlation" in message:
        return "correlation:"
    if isinstance(error, RuleError) and "filter" in message:
        return "filter:"
    return "detection:" if isinstance(error, SigmaDetectionError) else ""


def _find(lines: list[str], first_line: int, wanted: str) -> int:
    for number in range(first_line - 1, len(lines)):
        if wanted in lines[number]:
            return number + 1
    return 0
