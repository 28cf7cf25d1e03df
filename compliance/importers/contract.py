"""What a report of another tool says, in the same words for each tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from kernel.errors import LiandunError

Tool = Literal["arf", "lynis", "nessus", "wazuh"]
Said = Literal["pass", "fail", "weak", "not_applicable", "error", "none"]
"""weak: partly met; error: the tool could not tell; none: it did not look, or gives no verdict."""
MOST_OCTETS = 512 << 20
MOST_RESULTS = 500_000
MOST_EXCERPT = 4_000
"""Letters of the raw report that are kept with a result."""


class ReportError(LiandunError):
    """A file that is no report of the tool, or one that is not taken."""


class ToolResult(msgspec.Struct, frozen=True):
    """One rule of a tool on one object.

    rule     its id, as the mapping names it; ``title``: for people, "" where the report has none
    excerpt  the raw part of the report; ``at``: UTC, "" where the report does not say it with its zone
    """

    rule: str
    title: str
    said: Said
    target: str
    excerpt: str
    at: str = ""


class Report(msgspec.Struct, frozen=True):
    """``tool``: name and version."""

    tool: str
    results: tuple[ToolResult, ...]


def of_target(report: Report, target: str | None) -> Report:
    """The results of one object. Raises ReportError where there are several and none is chosen, or it is not there."""
    names = list(dict.fromkeys(one.target for one in report.results))
    if not names:
        raise ReportError("the report has no results")
    if target is None and len(names) > 1:
        raise ReportError(f"the report is about {len(names)} objects", f"choose one: {_shown(names)}")
    chosen = names[0] if target is None else target
    if chosen not in names:
        raise ReportError(f"the report is not about {chosen[:100]}", f"it is about {_shown(names)}")
    return Report(report.tool, tuple(one for one in report.results if one.target == chosen))


def _shown(names: Sequence[str]) -> str:
    more = f" … ({len(names)})" if len(names) > 20 else ""
    return ", ".join("".join(sign if sign.isprintable() else " " for sign in name[:100]) for name in names[:20]) + more
