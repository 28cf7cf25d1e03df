"""The imported sets below ``<data>/rules``: one folder each with ``manifest.json`` and the rule files as they came."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from crypto.sm3 import sm3_hasher
from detectors.rule_sets.archive import ARCHIVE_ENDINGS, RuleFile
from detectors.rule_sets.engine_check import Refused
from detectors.rule_sets.suricata_update import DECISIONS
from kernel.errors import RuleError
from kernel.event import timestamp

MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SIGMA = re.compile(rb"^(?:detection|correlation|filter)\s*:", re.MULTILINE)


class Manifest(msgspec.Struct):
    """What a set is and where it came from.

    sm3      digest (hexadecimal) over names and contents of all kept files, in order of their names
    counts   files by engine (sigma, yara, suricata)
    licence  names of the licence texts that came with the set; "none found" asks the operator to look
    merged   Suricata rules that the merged file holds and how many of them are enabled; 0 where the set has none
    refused  Suricata rules that the installed engine does not take; they are commented out in the merged file
    checked  whether an installed Suricata has looked at the rules
    """

    name: str
    source: str
    sm3: str
    imported: str
    counts: dict[str, int]
    licence: str
    merged: int = 0
    enabled: int = 0
    refused: list[Refused] = []
    checked: bool = False


class SuricataPart(msgspec.Struct, frozen=True):
    """What is known of the merged Suricata rules of a set (see :class:`Manifest`)."""

    merged: int = 0
    enabled: int = 0
    refused: list[Refused] = []
    checked: bool = False


def decisions_of(root: Path, name: str) -> dict[str, bytes]:
    """The operator's decisions (enable.conf …) that stand in the installed set ``name``."""
    folder = root / name
    return {file: (folder / file).read_bytes() for file in DECISIONS if (folder / file).is_file()}


def set_name(source: str) -> str:
    """Name of a set made of a path or URL: ``sigma-rules`` of ``…/sigma-rules.tar.gz?x=1``."""
    last = re.split(r"[?#]", source)[0].rstrip("/").rsplit("/", 1)[-1].lower()
    for ending in (*ARCHIVE_ENDINGS, ".gz", ".yml", ".yaml", ".yara", ".yar", ".rules"):
        last = last.removesuffix(ending)
    return re.sub(r"[^a-z0-9._-]+", "-", last).strip("-.")[:64] or "rules"


def install(
    root: Path,
    name: str,
    source: str,
    files: Iterable[RuleFile],
    now: datetime | None = None,
    suricata: SuricataPart = SuricataPart(),
) -> Manifest:
    """Write the files as set ``name`` below ``root``; an older set of that name is replaced in one step, or kept if anything fails.

    Raises RuleError where the name is not usable, no rule is among the files, or they cannot be written.
    """
    if _NAME.fullmatch(name) is None:
        raise RuleError(f"{name!r} cannot name a rule set", "letters a-z, digits, dot, dash and underscore, 64 at most")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=root))
    except OSError as error:
        raise RuleError(f"{root}: cannot be written: {error.strerror}") from error
    try:
        manifest = _write(incoming, name, source, files, now or datetime.now(UTC), suricata)
        _swap(incoming, root / name)
    except OSError as error:  # also two members that exclude each other: a.yml and a.yml/b.yml
        shutil.rmtree(incoming, ignore_errors=True)
        place = str(error.filename or root).removeprefix(f"{incoming}/")
        raise RuleError(f"{source}: {place}: cannot be written: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    return manifest


def installed(root: Path) -> list[Manifest]:
    """Manifests of all sets, by name. Raises RuleError where a manifest is damaged."""
    found = []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Manifest))
        except (OSError, msgspec.MsgspecError) as error:
            raise RuleError(f"{path}: damaged manifest: {error}", "import the set again") from error
    return found


def _write(folder: Path, name: str, source: str, files: Iterable[RuleFile], now: datetime, suricata: SuricataPart) -> Manifest:
    counts: dict[str, int] = {}
    digests: dict[str, bytes] = {}
    licences: list[str] = []
    for file in files:
        if file.engine == "sigma" and _SIGMA.search(file.content) is None:
            continue  # YAML of another kind: workflows, configuration, mappings
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        digests[file.name] = file.content
        if file.engine == "licence":
            licences.append(file.name)
        elif file.engine != "decision":
            counts[file.engine] = counts.get(file.engine, 0) + 1
    if not counts:
        raise RuleError(f"{source}: no Sigma, YARA or Suricata rule in it")
    hasher = sm3_hasher()
    for inner in sorted(digests):
        hasher.update(f"{inner}\0{len(digests[inner])}\0".encode())
        hasher.update(digests[inner])
    licence = ", ".join(sorted(licences)[:5]) or "none found"
    told = (suricata.merged, suricata.enabled, suricata.refused, suricata.checked)
    manifest = Manifest(name, source, hasher.hexdigest(), timestamp(now), counts, licence, *told)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    return manifest


def _swap(incoming: Path, target: Path) -> None:
    """Put the new folder in place of the old one: a reader sees the old set or the new one, never a mixture."""
    incoming.chmod(0o700)
    old = target.with_name(f".old-{target.name}-{os.getpid()}")
    if target.exists():
        target.rename(old)
    try:
        incoming.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
