"""Which rules a run uses: paths sorted by engine, loaded once, before workers are forked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from detectors.sigma.engine import SigmaEngine
from detectors.yara import YaraScanner
from kernel.errors import LiandunError

OWN_RULES = Path(__file__).resolve().parent.parent / "rules"
_SIGMA_FILES = (".yml", ".yaml", ".tar.gz", ".tgz", ".tar", ".zip")
_YARA_FILES = (".yar", ".yara")
_SURICATA_FILES = (".rules",)


class RuleSet(msgspec.Struct):
    """Loaded rules of the three engines; ``failures`` are lines for people (file:line: reason).

    correlates  a rule looks at more than one event, so that one process must see the events of all files in order
    """

    sigma: SigmaEngine | None
    yara: YaraScanner | None
    suricata: list[Path]
    failures: list[str]
    correlates: bool

    @property
    def loaded(self) -> str:
        """``3000 Sigma, 12 YARA rules, 2 Suricata files`` for the summary."""
        parts = []
        if self.sigma is not None:
            parts.append(f"{len(self.sigma.rules)} Sigma rules")
        if self.yara is not None:
            parts.append(f"{len(self.yara.rules)} YARA rules")
        if self.suricata:
            parts.append(f"{len(self.suricata)} Suricata rule files")
        return ", ".join(parts) or "no rules"


def load_rules(paths: Sequence[Path]) -> RuleSet:
    """Rules of files, folders (searched through) and Sigma archives; none = the product's own. Raises LiandunError if none can be
    loaded.
    """
    sigma, yara, suricata = _sort(paths or [OWN_RULES / name for name in ("sigma", "yara", "suricata")])
    if not (sigma or yara or suricata):
        raise LiandunError(f"no rules in {', '.join(map(str, paths)) or OWN_RULES}", "expected .yml, .tar.gz, .zip, .yar or .rules")
    failures: list[str] = []
    engine = SigmaEngine.load(sigma, cache_dir=cache_dir()) if sigma else None
    if engine is not None:
        failures.extend(str(failure) for failure in engine.failures)
    scanner = YaraScanner.load(yara) if yara else None
    if scanner is not None:
        failures.extend(str(failure) for failure in scanner.failures)
    rules = RuleSet(engine, scanner, suricata, failures, _correlates(engine))
    if not suricata and (engine is None or not engine.rules) and (scanner is None or not scanner.rules):
        raise LiandunError(f"none of the rules can be used, {len(failures)} failed", failures[0] if failures else "")
    return rules


def _correlates(engine: SigmaEngine | None) -> bool:
    return engine is not None and any(rule.kind == "correlation" for rule in engine.rules)


def cache_dir() -> Path:
    """``${XDG_CACHE_HOME:-~/.cache}/liandun``, for this user only."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "liandun"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def _sort(paths: Sequence[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    sigma: list[Path] = []
    yara: list[Path] = []
    suricata: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file())
            if any(one.name.endswith(_SIGMA_FILES) for one in inside):
                sigma.append(path)
            yara.extend(one for one in inside if one.name.endswith(_YARA_FILES))
            suricata.extend(one for one in inside if one.name.endswith(_SURICATA_FILES))
        elif not path.exists():
            raise LiandunError(f"{path}: no such file or folder")
        elif path.name.endswith(_YARA_FILES):
            yara.append(path)
        elif path.name.endswith(_SURICATA_FILES):
            suricata.append(path)
        elif path.name.endswith(_SIGMA_FILES):
            sigma.append(path)
        else:
            raise LiandunError(f"{path}: not a rule file", "expected .yml, .tar.gz, .zip (Sigma), .yar (YARA) or .rules (Suricata)")
    return sigma, yara, suricata
