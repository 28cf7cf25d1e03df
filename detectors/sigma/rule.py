"""What the engine keeps of a rule file."""

from __future__ import annotations

import msgspec

from detectors.sigma.ast import Node
from detectors.sigma.logsource import LogSource


class RuleInfo(msgspec.Struct):
    """A loaded rule. ``kind`` is detection, correlation or filter; ``routed`` is False where no mapping covers its logsource;
    ``reported`` is False for a rule that only feeds a correlation; ``title_zh`` is our own rules' title in Chinese."""

    id: str
    title: str
    level: str = "medium"
    status: str = ""
    tags: list[str] = []
    author: str = ""
    description: str = ""
    references: list[str] = []
    falsepositives: list[str] = []
    file: str = ""
    logsource: LogSource = LogSource()
    source_text: str = ""
    name: str = ""
    kind: str = "detection"
    routed: bool = True
    reported: bool = True
    warnings: list[str] = []
    date: str = ""
    modified: str = ""
    license: str = ""
    title_zh: str = ""


class RuleFailure(msgspec.Struct, frozen=True):
    """A rule (or file) that could not be loaded: where and why. ``line`` is 1-based."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class CorrelationSpec(msgspec.Struct, frozen=True):
    """The ``correlation`` section. ``rules`` as written (names or ids); ``aliases``: alias → rule → field; ``expression``: an
    extended condition of a temporal rule as a tree of rule names (``and``/``or``/``not`` with the names as leaves)."""

    type: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    seconds: float
    op: str = "gte"
    count: float = 1
    fields: tuple[str, ...] = ()
    percentile: float = 50
    aliases: dict[str, dict[str, str]] = {}
    generate: bool = False
    expression: list[object] = []


class FilterSpec(msgspec.Struct, frozen=True):
    """The ``filter`` section: ``rules`` it applies to (empty: every rule of the logsource) and what must also hold."""

    rules: tuple[str, ...]
    tree: Node


class LoadedRule(msgspec.Struct):
    """A rule as it stands in the compile cache."""

    info: RuleInfo
    tree: Node | None = None
    correlation: CorrelationSpec | None = None
    filter: FilterSpec | None = None
