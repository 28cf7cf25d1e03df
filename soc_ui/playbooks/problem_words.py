"""Mistakes of a playbook as forms show mistakes. The check speaks English: it names properties of the standard."""

from __future__ import annotations

from playbooks.problems import PlaybookError
from soc_ui.zones.problems import Problem

MOST_SHOWN = 30


def told(error: PlaybookError) -> list[Problem]:
    """Each mistake with its place."""
    return [Problem(0, "", one.path, one.message + (f" ({one.hint})" if one.hint else "")) for one in error.problems[:MOST_SHOWN]]
