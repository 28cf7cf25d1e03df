"""The rules of a running platform: our own, the imported sets and what the configuration names; and the catalogue people see."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from cli.detect_rules import OWN_RULES
from detectors.intel import RULES as INTEL_RULES
from detectors.intel import IntelDetector, IntelRule
from detectors.sigma import rule as sigma_rules
from detectors.sigma.engine import SigmaEngine
from detectors.suricata import SuricataDetector
from detectors.yara import YaraDetector, YaraScanner, level_of
from detectors.yara_load import YaraRule
from detectors.zones import RULES as ZONE_RULES
from detectors.zones import ZoneDetector, ZoneRule
from kernel.config import Config
from kernel.indicators.index import Index
from kernel.layout import Layout
from kernel.pipeline import Detector
from kernel.zones.table import ZoneTable
from soc_ui.services import RuleCatalogue, RuleFailure, RuleInfo

_RULE_ENDINGS = (".yml", ".yaml", ".yar", ".yara", ".rules", ".tar.gz", ".zip", ".json")
_SURICATA_RULE = re.compile(r"^\s*(?:alert|drop|pass|reject)\s.*?\(.*\bsid\s*:\s*(\d+)\s*;", re.DOTALL)
_SURICATA_MESSAGE = re.compile(r"\bmsg\s*:\s*\"((?:[^\"\\]|\\.)*)\"\s*;")
_SURICATA_PRIORITY = re.compile(r"\bpriority\s*:\s*(\d)\s*;")
_SURICATA_TITLE_ZH = re.compile(r"\bmetadata\s*:(?:[^;]*,)?\s*title_zh\s+([^,;]+)")


class RuleSet(msgspec.Struct):
    """Detectors ready for the pipeline, what people see of them, and what the rule files looked like when they were read."""

    detectors: list[Detector]
    catalogue: RuleCatalogue
    fingerprint: str


def rule_paths(config: Config) -> list[Path]:
    """Folders and files that rules are read from."""
    own = [OWN_RULES / engine for engine in ("sigma", "yara", "suricata")] if config.detect.own_rules else []
    sets = Layout(config.data_dir).rules
    imported = sorted(path for path in sets.iterdir() if path.is_dir() and not path.name.startswith(".")) if sets.is_dir() else []
    return [*own, *imported, *config.detect.rules]


def _files(config: Config) -> Iterator[Path]:
    for path in rule_paths(config):
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def suricata_rules(config: Config) -> list[Path]:
    """The .rules files in use."""
    return [path for path in _files(config) if path.name.endswith(".rules")]


def fingerprint(config: Config) -> str:
    """Changes when a rule file is added, removed or written."""
    digest = hashlib.blake2b(digest_size=16)
    for path in _files(config):
        if path.name.endswith(_RULE_ENDINGS):
            state = path.stat()
            digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def load_ruleset(config: Config, zones: Callable[[], ZoneTable], indicators: Callable[[], Index] = Index) -> RuleSet:
    """Load all engines. A rule that cannot be loaded stands in the catalogue's failures; the others run.

    zones       gives the zone plan in force
    indicators  gives the indicators in force, without it there are none
    """
    layout = Layout(config.data_dir)
    mark = fingerprint(config)
    paths = rule_paths(config)
    sigma = SigmaEngine.load(
        _only(paths, (".yml", ".yaml", ".tar.gz", ".zip")), cache_dir=layout.rule_cache, placeholders=config.detect.placeholders
    )
    yara = YaraScanner.load(_only(paths, (".yar", ".yara")))
    detectors: list[Detector] = [
        sigma,
        SuricataDetector(),
        YaraDetector(yara, [layout.suricata], timeout=config.detect.yara_timeout_seconds),
        ZoneDetector(zones),
        IntelDetector(indicators),
    ]
    rules = [_sigma_info(rule) for rule in sigma.rules]
    rules += [_yara_info(rule) for rule in yara.rules]
    rules += [rule for path in suricata_rules(config) for rule in _suricata_infos(path)]
    rules += [_zone_info(rule) for rule in ZONE_RULES.values()]
    rules += [_intel_info(rule) for rule in INTEL_RULES.values()]
    failures = [RuleFailure(one.file, one.line, one.reason) for one in (*sigma.failures, *yara.failures)]
    return RuleSet(detectors, RuleCatalogue(rules, failures), mark)


def _only(paths: list[Path], endings: tuple[str, ...]) -> list[Path]:
    return [path for path in paths if path.is_dir() or path.name.endswith(endings)]


def write_catalogue(ruleset: RuleSet, path: Path) -> None:
    """Hand the catalogue to the other roles (atomic replace)."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.encode(ruleset.catalogue))
    temporary.replace(path)


class CatalogueReader:
    """The catalogue as the worker last wrote it; read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0
        self._catalogue = RuleCatalogue()

    def __call__(self) -> RuleCatalogue:
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._stamp:
                self._catalogue = msgspec.json.decode(self._path.read_bytes(), type=RuleCatalogue)
                self._stamp = stamp
        except (OSError, msgspec.DecodeError):
            return self._catalogue  # not written yet, or being replaced: what was known stays
        return self._catalogue


def _sigma_info(rule: sigma_rules.RuleInfo) -> RuleInfo:
    return RuleInfo(
        id=rule.id,
        title=rule.title,
        level=rule.level,
        engine="correlation" if rule.kind == "correlation" else "sigma",
        tags=tuple(rule.tags),
        source_text=rule.source_text,
        file=rule.file,
        status=rule.status,
        description=rule.description,
        author=rule.author,
        references=tuple(rule.references),
        title_zh=rule.title_zh,
    )


def _zone_info(rule: ZoneRule) -> RuleInfo:
    text = "detectors/zones.py judges every crossing by the zone plan: ./liandun zones export shows the plan in force."
    text_zh = "detectors/zones.py 按区域规划判断每一次跨区通信；查看现行规划：./liandun zones export"
    return _fixed_info(rule, "zone", text, text_zh)


def _intel_info(rule: IntelRule) -> RuleInfo:
    text = "detectors/intel.py looks up the addresses, names, URLs, hashes and senders of every event in the indicators in force."
    text_zh = "detectors/intel.py 将每个事件中的地址、域名、链接、哈希和发件人与现行威胁情报比对。"
    return _fixed_info(rule, "intel", text, text_zh)


def _fixed_info(rule: ZoneRule | IntelRule, engine: str, text: str, text_zh: str) -> RuleInfo:
    """A rule that is no file of its own."""
    return RuleInfo(
        id=rule.id,
        title=rule.name,
        level=rule.level,
        engine=engine,
        tags=rule.tags,
        source_text=text,
        file=text.partition(" ")[0],
        status="stable",
        description=rule.description,
        title_zh=rule.name_zh,
        description_zh=rule.description_zh,
        falsepositives_zh=rule.falsepositives_zh,
        source_text_zh=text_zh,
    )


def _yara_info(rule: YaraRule) -> RuleInfo:
    meta = {key: str(value) for key, value in rule.meta.items()}
    return RuleInfo(
        id=rule.id,
        title=rule.name,
        level=level_of(rule.meta),
        engine="yara",
        tags=tuple(rule.tags),
        source_text=_yara_source(rule),
        file=rule.file,
        description=meta.get("description", ""),
        author=meta.get("author", ""),
        references=(meta["reference"],) if meta.get("reference") else (),
        title_zh=meta.get("description_zh", ""),
        description_zh=meta.get("description_zh", ""),
    )


def _yara_source(rule: YaraRule) -> str:
    """The rule's own lines of its file (from its head to the next rule's)."""
    try:
        text = Path(rule.file).read_text("utf-8", "replace")
    except OSError:
        return ""
    head = re.search(rf"^[ \t]*(?:(?:private|global)\s+)*rule\s+{re.escape(rule.name)}\b", text, re.MULTILINE)
    if head is None:
        return ""
    following = re.compile(r"^[ \t]*(?:(?:private|global)\s+)*rule\s+\w+", re.MULTILINE).search(text, head.end())
    return text[head.start() : following.start() if following else None].rstrip()


def _suricata_infos(path: Path) -> Iterator[RuleInfo]:
    for line in path.read_text("utf-8", "replace").splitlines():
        if (rule := _SURICATA_RULE.match(line)) is None:
            continue
        message = _SURICATA_MESSAGE.search(line)
        priority = _SURICATA_PRIORITY.search(line)
        level = {"1": "high", "2": "medium", "3": "low"}.get(priority[1] if priority else "", "medium")
        chinese = _SURICATA_TITLE_ZH.search(line)
        yield RuleInfo(
            id=f"suricata:1:{rule[1]}",
            title=message[1] if message else rule[1],
            level=level,
            engine="suricata",
            source_text=line,
            file=path.name,
            title_zh=chinese[1].strip() if chinese else "",
        )
