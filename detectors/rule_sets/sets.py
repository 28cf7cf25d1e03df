"""The imported sets below ``<data>/rules``: one folder each with ``manifest.json`` and the rule files as they came."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from crypto.sm3 import sm3_hasher
from detectors.rule_sets.archive import ARCHIVE_ENDINGS, RuleFile
from detectors.rule_sets.engine_check import Refused
from detectors.rule_sets.suricata_update import DECISIONS
from kernel.errors import RuleError
from kernel.event import timestamp

MANIFEST = "manifest.json"
_NO_RULES = ("licence", "decision")
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
    """The operator's decisions (enable.conf …) that stand in the installed set ``name``.

    Raises RuleError where one can't be read.
    """
    folder = root / name
    try:
        return {file: (folder / file).read_bytes() for file in DECISIONS if (folder / file).is_file()}
    except OSError as error:
        raise RuleError(f"{error.filename}: cannot be read: {error.strerror}") from error


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

    Raises RuleError where the name is not usable, no rule is among the files, two of them cannot stand side by side, or ``root``
    cannot be written.
    """
    check_name(name)
    source = source.encode(errors="backslashreplace").decode()  # the name of a local file may be no UTF-8
    kept = _kept(source, files)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        incoming = Path(tempfile.mkdtemp(prefix=".incoming-", dir=root))
        try:
            manifest = _write(incoming, name, source, kept, now or datetime.now(UTC), suricata)
            _swap(incoming, root / name)
        except BaseException:
            shutil.rmtree(incoming, ignore_errors=True)
            raise
    except OSError as error:
        raise RuleError(
            f"the set cannot be stored below {root}: {error.strerror}", "./liandun doctor looks at the folder"
        ) from error
    return manifest


def check_name(name: str) -> None:
    """Raises RuleError where ``name`` cannot name a set."""
    if _NAME.fullmatch(name) is None:
        raise RuleError(f"{name!r} cannot name a rule set", "letters a-z, digits, dot, dash and underscore, 64 at most")


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


def _kept(source: str, files: Iterable[RuleFile]) -> list[RuleFile]:
    """The files worth storing, each name once (the last one counts, as in a tar archive). Raises RuleError, see install."""
    by_name: dict[str, RuleFile] = {}
    for file in files:
        if file.engine == "sigma" and _SIGMA.search(file.content) is None:
            continue  # YAML of another kind: workflows, configuration, mappings
        by_name[file.name] = file
    if all(file.engine in _NO_RULES for file in by_name.values()):
        raise RuleError(f"{source}: no Sigma, YARA or Suricata rule in it")
    for name in by_name:
        for parent in PurePosixPath(name).parents:
            if (inner := parent.as_posix()) in by_name or inner == MANIFEST:
                raise RuleError(f"{source}: {name} needs a folder {parent}, which is a file; rename one of them")
    return list(by_name.values())


def _write(folder: Path, name: str, source: str, kept: list[RuleFile], now: datetime, suricata: SuricataPart) -> Manifest:
    counts: dict[str, int] = {}
    for file in kept:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        if file.engine not in _NO_RULES:
            counts[file.engine] = counts.get(file.engine, 0) + 1
    licences = sorted(file.name for file in kept if file.engine == "licence")
    hasher = sm3_hasher()
    for file in sorted(kept, key=lambda one: one.name):
        hasher.update(f"{file.name}\0{len(file.content)}\0".encode())
        hasher.update(file.content)
    licence = ", ".join(licences[:5]) or "none found"
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
