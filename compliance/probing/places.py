"""Where a file lies below the folder for files: names with / between them, * and ? in the last one only."""

from __future__ import annotations

import re

_NAME = re.compile(r"[^/\\\0]{1,200}")


def problem_of_place(place: str) -> str:
    """Why this is no place below the folder, "" where it is one."""
    *folders, last = place.split("/")
    if not place.isprintable() or not all(_NAME.fullmatch(one) and not one.startswith(".") for one in (*folders, last)):
        return "it is a path below [compliance] folder: no / before it, nothing that begins with a dot"
    if any(set(one) & set("*?[") for one in folders) or "[" in last:
        return "* and ? stand in the name of the file only"
    return ""
