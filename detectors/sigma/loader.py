"""Rule files → loaded rules. A rule that cannot be loaded is a :class:`RuleFailure` with its line and reason; the others go on.

Documents (Sigma specification 2.0): rules (``detection``), correlations (``correlation``), filters (``filter``); several in one
file are divided by ``---``. Metadata that is wrong (a date, a status) does not stop a rule; it is kept as a warning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import yaml
from sigma.exceptions import SigmaError
from sigma.rule.detection import SigmaDetections

from detectors.sigma.ast import FALSE, Const
from detectors.sigma.correlation_spec import parse_correlation
from detectors.sigma.locate import line_of
from detectors.sigma.logsource import LogSource, Routes
from detectors.sigma.parse import Placeholders, detections_tree
from detectors.sigma.rule import FilterSpec, LoadedRule, RuleFailure, RuleInfo
from detectors.sigma.source import RuleFile
from kernel.detection import LEVELS
from kernel.errors import RuleError
from kernel.yaml_nesting import refuse_deep

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_NODES = 200_000  # values in one document, aliases followed: a limit against "billion laughs"


def load_file(file: RuleFile, placeholders: Placeholders, routes: Routes) -> tuple[list[LoadedRule], list[RuleFailure]]:
    """All rules of a file and what could not be loaded."""
    if file.problem:
        return [], [RuleFailure(file.name, 1, file.problem)]
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content[: error.start].count(b"\n") + 1
        return [], [RuleFailure(file.name, line, f"not UTF-8 (byte {error.start})")]
    loaded: list[LoadedRule] = []
    failures: list[RuleFailure] = []
    try:
        for document, first_line in _documents(text):
            try:
                loaded.append(_load(document, file.name, text, placeholders, routes))
            except (SigmaError, RuleError, RecursionError) as error:
                reason = error.args[0] if isinstance(error, SigmaError) and error.args else str(error)
                failures.append(RuleFailure(file.name, line_of(text, first_line, error), str(reason)))
            except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
                # pySigma meets an unexpected type somewhere inside a document that is valid YAML
                reason = f"not a valid Sigma rule ({type(error).__name__}: {error})"
                failures.append(RuleFailure(file.name, first_line, reason))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        failures.append(RuleFailure(file.name, mark.line + 1 if mark else 1, f"YAML: {reason}"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        failures.append(RuleFailure(file.name, 1, f"YAML: {error}"))
    return loaded, failures


def regexes_of(text: str) -> int:
    """How many regular expressions the rules of a text hold; 0 where it cannot be read, which ``load_file`` tells."""
    found = 0
    try:
        waiting: list[Any] = [document for document, _ in _documents(text)]
    except (yaml.YAMLError, RecursionError, ValueError, RuleError):
        return 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found += sum(len(value) if isinstance(value, list) else 1 for key, value in one.items() if "|re" in str(key))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def _documents(text: str) -> Iterator[tuple[dict[str, Any], int]]:
    """The documents of a file with their first lines; ``action: global`` (Sigma 1) is merged into those that follow it."""
    common: dict[str, Any] = {}
    refuse_deep(text, _Loader)
    loader = _Loader(text)
    try:
        while loader.check_node():
            node: Any = loader.get_node()
            document = loader.construct_document(node)
            if document is None:
                continue
            _check_size(document)
            action = document.get("action") if isinstance(document, dict) else None
            if action == "global":
                common = {key: value for key, value in document.items() if key != "action"}
                continue
            if action == "reset":
                common = {}
                continue
            if common and isinstance(document, dict):
                document = _merged(common, document)
            yield document, node.start_mark.line + 1
    finally:
        loader.dispose()


def _merged(common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(common)
    for key, value in own.items():
        held = merged.get(key)
        merged[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def _check_size(document: Any) -> None:
    pending, count = [document], 0
    while pending:
        value = pending.pop()
        count += 1
        if count > _MAX_NODES:
            raise yaml.YAMLError(f"more than {_MAX_NODES} values in one document")
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _load(document: Any, file: str, text: str, placeholders: Placeholders, routes: Routes) -> LoadedRule:
    if not isinstance(document, dict):
        raise RuleError("the document is no mapping")
    info = _info(document, file, text)
    if "correlation" in document:
        info.kind = "correlation"
        return LoadedRule(info, correlation=parse_correlation(document["correlation"]))
    info.logsource = _logsource(document.get("logsource"))
    if "filter" in document:
        info.kind = "filter"
        return LoadedRule(info, filter=_filter(document["filter"], placeholders))
    if "detection" not in document:
        raise RuleError("rule has no 'detection', 'correlation' or 'filter' section")
    detection = document["detection"]
    if not isinstance(detection, dict):
        raise RuleError("the detection section is no mapping")
    if isinstance(detection.get("timeframe"), str):
        info.warnings.append("'timeframe' means nothing outside a correlation rule and is ignored")
    tree = detections_tree(SigmaDetections.from_dict(detection), placeholders)
    if isinstance(tree, Const):
        info.warnings.append("the condition does not depend on the event")
        tree = FALSE if not tree.value else tree
    info.routed = bool(routes.of(info.logsource))
    return LoadedRule(info, tree=tree)


def _filter(section: Any, placeholders: Placeholders) -> FilterSpec:
    if not isinstance(section, dict) or "rules" not in section:
        raise RuleError("filter must be a mapping with 'rules' (names, ids or 'any'), selections and a condition")
    named = section["rules"]
    rules = [] if named in ("any", "Any", "ANY", None) else named if isinstance(named, list) else [named]
    selections = {name: value for name, value in section.items() if name != "rules"}
    if not isinstance(selections.get("condition"), str):
        raise RuleError("filter must have exactly one condition")
    return FilterSpec(tuple(map(str, rules)), detections_tree(SigmaDetections.from_dict(selections), placeholders))


def _logsource(section: Any) -> LogSource:
    if not isinstance(section, dict):
        raise RuleError("rule has no logsource (a mapping with product, category or service)")
    found = {key: str(section[key]).lower() for key in ("product", "category", "service") if section.get(key)}
    if not found:
        raise RuleError("logsource names no product, category or service")
    return LogSource(**found)


def _info(document: dict[str, Any], file: str, text: str) -> RuleInfo:
    warnings: list[str] = []

    def words(key: str) -> list[str]:
        value = document.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            warnings.append(f"'{key}' must be a list")
            value = [value]
        return [str(one) for one in value if one is not None]

    def word(key: str) -> str:
        value = document.get(key)
        if isinstance(value, (dict, list)):
            warnings.append(f"'{key}' must be a text")
            return ", ".join(map(str, value)) if isinstance(value, list) else ""
        return "" if value is None else value.isoformat() if isinstance(value, date) else str(value).strip()

    title = word("title")
    if not title:
        warnings.append("rule has no title")
    level = word("level").lower()
    if level not in LEVELS:
        warnings.append(f"level '{level}' is none of {', '.join(LEVELS)}: taken as medium" if level else "rule has no level")
        level = "medium"
    identity = word("id") or "sigma-" + hashlib.blake2b(repr(document).encode(), digest_size=12).hexdigest()
    return RuleInfo(
        id=identity,
        title=title or word("name") or identity,
        level=level,
        status=word("status"),
        tags=words("tags"),
        author=word("author"),
        description=word("description"),
        references=words("references"),
        falsepositives=words("falsepositives"),
        file=file,
        source_text=text,
        name=word("name"),
        warnings=warnings,
        date=word("date"),
        modified=word("modified"),
        license=word("license"),
        title_zh=word("title_zh"),
    )
