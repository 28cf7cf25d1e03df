"""Checks of Sigma rules: pySigma's validators (all that ``sigma check`` of sigma-cli runs, plug-ins included) and our own.

Our own: can the rule be loaded, does any event class carry its logsource, is a field one that these events can have, are the ATT&CK
tags real (against the list shipped with the rules, offline), does a test stand beside it. Two of pySigma's validators are left out
(:data:`DOWNLOADING`), because they download what they compare with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.plugins import InstalledSigmaPlugins
from sigma.validation import SigmaValidator
from sigma.validators.base import SigmaRuleValidator

from detectors.rule_tests import case_file
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.logsource import LogSource, Route, load_routes
from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import RuleError

ATTACK_LIST = Path(__file__).resolve().parents[1] / "rules" / "mappings" / "attack.txt"
DOWNLOADING: dict[str, str] = {
    "attacktag": "downloads MITRE ATT&CK; our own check compares with rules/mappings/attack.txt, Enterprise and ICS",
    "d3_fendtag": "downloads MITRE D3FEND; no rule of ours carries such a tag, and a platform without Internet cannot ask",
}
"""pySigma's validators that are left out → why."""

_OWN_FAMILIES = (
    *("winlog.", "suricata.", "zeek.", "auditd.", "aws.", "azure.", "gcp.", "okta.", "m365.", "github.", "kubernetes.", "huawei."),
    *("h3c.", "ot.", "labels.", "log.", "liandun.", "system.", "event.", "threat.", "zone.", "firewall."),
)
"""Field families that hold vendors' originals; ``FIELD_TYPES`` lists only what the product itself reads."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """One remark. ``severity``: error (the rule does not work), warning (it probably does less than meant), note (style)."""

    file: str
    line: int
    severity: str
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.check}: {self.message}"


def lint(files: Sequence[Path], *, need_tests: bool = False) -> list[Finding]:
    """All remarks about these rule files, in order of file and line. ``need_tests``: a rule without test events is a warning."""
    findings: list[Finding] = []
    for file in files:
        findings += _loading(file)
        findings += _own_checks(file)
        if need_tests and not case_file(file).is_file():
            findings.append(Finding(str(file), 1, "warning", "test", f"no test events: {case_file(file).name} is missing"))
    findings += _pysigma(files)
    return sorted(set(findings))


def _loading(file: Path) -> Iterable[Finding]:
    engine = SigmaEngine.load([file])
    for failure in engine.failures:
        yield Finding(failure.file, failure.line, "error", "load", failure.reason)
    lines = _lines(file)
    for rule in engine.rules:
        for warning in rule.warnings:
            yield Finding(str(file), lines.get(rule.id, 1), "warning", "load", f"{rule.title}: {warning}")


def _own_checks(file: Path) -> Iterable[Finding]:
    lines = _lines(file)
    for document in _documents(file):
        line = lines.get(str(document.get("id", "")), 1)
        for tag in document.get("tags") or []:
            if str(tag).startswith("attack.") and str(tag)[7:] not in known_attack_tags():
                yield Finding(str(file), line, "note", "attack-tag", f"{tag} is not in the ATT&CK list ({ATTACK_LIST.name})")
        logsource = document.get("logsource")
        if isinstance(logsource, dict) and isinstance(document.get("detection"), dict):
            yield from _routing(str(file), line, logsource, document["detection"])


def _routing(file: str, line: int, logsource: dict[str, Any], detection: dict[str, Any]) -> Iterable[Finding]:
    source = LogSource(**{part: str(logsource.get(part, "")).lower() for part in ("product", "category", "service")})
    routes = load_routes().of(source)
    if not routes:
        yield Finding(file, line, "warning", "logsource", f"no events are known to belong to {source}; the rule can never fire")
        return
    for field in sorted(_fields(detection)):
        if not any(_can_have(route, field) for route in routes):
            yield Finding(file, line, "warning", "field", f"events of {source} have no field {field!r}")


def _can_have(route: Route, field: str) -> bool:
    if route.channel and "." not in field:
        return True  # Windows: any name may stand in EventData
    if field in route.fields or field in FIELD_TYPES or field.startswith(_OWN_FAMILIES):
        return True
    return bool(route.prefixes)


def _fields(detection: dict[str, Any]) -> set[str]:
    """Field names of a detection section, without modifiers. A search identifier that is a plain list holds keywords: no field."""
    found: set[str] = set()
    for identifier, search in detection.items():
        if identifier not in ("condition", "timeframe"):
            for part in search if isinstance(search, list) else [search]:
                if isinstance(part, dict):
                    found.update(str(key).partition("|")[0] for key in part)
    return found - {""}


def _pysigma(files: Sequence[Path]) -> Iterable[Finding]:
    validator = SigmaValidator([one for name, one in available_validators().items() if name not in DOWNLOADING])
    owners: dict[str, tuple[str, int]] = {}
    collections = []
    for file in files:
        try:
            collection = SigmaCollection.from_yaml(file.read_text("utf-8"), collect_errors=True)
        except (SigmaError, yaml.YAMLError, OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError):
            continue  # _loading has said so
        lines = _lines(file)
        for rule in collection.rules:
            line = lines.get(str(rule.id), 1)
            owners[str(rule.id)] = (str(file), line)
            for error in rule.errors:  # sigma-cli prints these and does not look at the rule any further
                yield Finding(str(file), line, "warning", type(error).__name__, str(error))
        collections.append(collection)
    rules = [rule for collection in collections for rule in collection.rules if not rule.errors]  # correlations and filters too
    for issue in validator.validate_rules(iter(rules)):
        for rule in issue.rules:
            place, line = owners.get(str(rule.id), (str(rule.source or ""), 1))
            details = {name: value for name, value in vars(issue).items() if name not in ("rules",)}
            shown = ", ".join(f"{name}={value}" for name, value in sorted(details.items()))
            severity = {"high": "error", "medium": "warning"}.get(issue.severity.name.lower(), "note")
            text = f"{issue.description}" + (f" ({shown})" if shown else "")
            yield Finding(place, line, severity, type(issue).__name__.removesuffix("Issue"), text)


@lru_cache(maxsize=1)
def available_validators() -> dict[str, type[SigmaRuleValidator]]:
    """Name → validator, as sigma-cli finds them: pySigma's own and those of installed plug-ins."""
    return dict(InstalledSigmaPlugins.autodiscover().validators)


@lru_cache(maxsize=1)
def known_attack_tags() -> frozenset[str]:
    """ATT&CK's tactics and techniques as tags write them (``t1059.001``, ``initial-access``). Raises RuleError without the list."""
    try:
        text = ATTACK_LIST.read_text("utf-8")
    except OSError as error:
        raise RuleError(f"{ATTACK_LIST}: cannot be read: {error.strerror}") from error
    return frozenset(word for line in text.splitlines() for word in line.partition("#")[0].split())


def _documents(file: Path) -> list[dict[str, Any]]:
    try:
        return [document for document in yaml.safe_load_all(file.read_text("utf-8")) if isinstance(document, dict)]
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return []  # _loading has said so


def _lines(file: Path) -> dict[str, int]:
    """Rule id → line where its document names it."""
    lines: dict[str, int] = {}
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return lines
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("id:"):
            lines.setdefault(line[3:].strip().strip("\"'"), number)
    return lines
