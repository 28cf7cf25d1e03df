"""YAML that is nested too deeply, told before it is built: libyaml builds nodes recursively and ends the whole process at some
50,000 levels, which a text of 100 KB has room for. Its parser has no such limit, so what may be deep is parsed once for its depth.
"""

from __future__ import annotations

from typing import Any

import yaml

DEEPEST = 100
_OPENS = "[{-?"
_SHALLOW = 2_000
"""So many levels are harmless; a text with fewer signs that can open one is not looked at further. Levels that are opened by
indentation alone need the square of their number in blanks: 2 MiB have room for 2,000.
"""


def refuse_deep(text: str, loader: Any) -> None:
    """Raises yaml.YAMLError where ``text`` nests deeper than DEEPEST levels, or is no YAML up to there. ``loader``: its parser."""
    if sum(map(text.count, _OPENS)) < _SHALLOW:
        return
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise yaml.YAMLError(f"nested deeper than {DEEPEST} levels in line {line}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
