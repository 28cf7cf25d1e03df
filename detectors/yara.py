"""YARA on files: what Suricata carried off the wire, attachments, uploads, evidence.

Every scan has a time and a size limit; a file that exceeds one is counted, never silently passed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yara

from detectors.yara_load import EXTERNALS, LoadedYara, YaraFailure, YaraRule, load_rules
from kernel.detection import LEVELS, Detection, MatchedField, detection_id
from kernel.errors import LiandunError
from kernel.event import Event

DEFAULT_TIMEOUT = 20
DEFAULT_MAX_SIZE = 64 << 20

_MAX_STRINGS = 20
_EXCERPT = 128
_KNOWN = 4096
_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")

_MAGIC = (
    # first bytes → the names that THOR/LOKI use for the external variable "filetype"
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7Z"),
    (b"\x1f\x8b", "GZIP"),
    (b"\xd0\xcf\x11\xe0", "OLE"),
    (b"{\\rtf", "RTF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00", "LNK"),
    (b"MDMP", "MDMP"),
    (b"regf", "REGISTRYHIVE"),
)


class YaraScanError(LiandunError):
    """A file could not be scanned (missing, too large, time limit)."""


class YaraHit(msgspec.Struct, frozen=True):
    """One rule that matched. ``strings`` are (identifier, offset, excerpt) of at most the first twenty matches."""

    rule: str
    namespace: str
    file: str
    tags: list[str]
    meta: dict[str, Any]
    strings: list[tuple[str, int, str]]

    @property
    def rule_id(self) -> str:
        return f"yara:{self.namespace}:{self.rule}"


class YaraScanner:
    """Compiled rules. ``failures`` lists what could not be loaded; ``rules`` what was."""

    def __init__(self, loaded: LoadedYara) -> None:
        self.rules: list[YaraRule] = loaded.rules
        self.failures: list[YaraFailure] = loaded.failures
        self._compiled = loaded.compiled
        self._files = loaded.files

    @classmethod
    def load(cls, paths: Sequence[Path]) -> YaraScanner:
        """Load rule files and folders; see :func:`detectors.yara_load.load_rules`."""
        return cls(load_rules(paths))

    def scan_bytes(
        self, content: bytes, name: str = "", *, path: str = "", owner: str = "", timeout: int = DEFAULT_TIMEOUT
    ) -> list[YaraHit]:
        """Hits on bytes. ``name`` is the file's name as rules see it; ``timeout`` in seconds. Raises YaraScanError."""
        if self._compiled is None:
            return []
        externals = EXTERNALS | {
            "filename": name,
            "filepath": path,
            "extension": os.path.splitext(name)[1].lower(),
            "filetype": next((kind for magic, kind in _MAGIC if content.startswith(magic)), ""),
            "owner": owner,
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        }
        try:
            matches = self._compiled.match(data=content, externals=externals, timeout=timeout)
        except yara.TimeoutError as error:
            raise YaraScanError(f"{name or 'bytes'}: YARA stopped after the limit of {timeout} s") from error
        except yara.Error as error:
            raise YaraScanError(f"{name or 'bytes'}: YARA failed: {error}") from error
        return [self._hit(match) for match in matches]

    def scan_file(
        self, path: Path, name: str = "", *, timeout: int = DEFAULT_TIMEOUT, max_size: int = DEFAULT_MAX_SIZE
    ) -> list[YaraHit]:
        """Hits on a file. ``name`` is its original name where the copy has another. Raises YaraScanError."""
        try:
            size = path.stat().st_size
            if size > max_size:
                raise YaraScanError(f"{path}: {size} bytes, more than the limit of {max_size}; not scanned")
            content = path.read_bytes()
        except OSError as error:
            raise YaraScanError(f"{path}: cannot be read: {error.strerror}") from error
        return self.scan_bytes(content, name or path.name, path=str(path.parent), timeout=timeout)

    def _hit(self, match: yara.Match) -> YaraHit:
        strings = [
            (string.identifier, instance.offset, _printable(instance.matched_data))
            for string in match.strings
            for instance in string.instances[:_MAX_STRINGS]
        ]
        file = self._files.get(match.namespace, "")
        return YaraHit(match.rule, match.namespace, file, list(match.tags), dict(match.meta), strings[:_MAX_STRINGS])


def detection(hit: YaraHit, event: Event) -> Detection:
    """The detection of a hit on the file that ``event`` speaks of."""
    event_id = str(event.get("event.id", ""))
    meta = hit.meta
    reference = str(meta.get("reference") or "")
    return Detection(
        id=detection_id(hit.rule_id, [event_id]),
        rule_id=hit.rule_id,
        rule_name=hit.rule,
        level=level_of(meta),
        engine="yara",
        time=str(event.get("@timestamp", "")),
        event_ids=[event_id],
        event=event,
        tags=_tags(hit),
        matched=[
            MatchedField("file.content", excerpt, pattern=f"{name} at {offset}", selection=name)
            for name, offset, excerpt in hit.strings
        ],
        description=str(meta.get("description") or ""),
        author=str(meta.get("author") or ""),
        references=[reference] if reference else [],
        rule_file=hit.file,
    )


def level_of(meta: dict[str, Any]) -> str:
    """Level of a rule: its ``level`` or ``severity`` word, else its ``score`` (0–100, as signature-base gives), else high."""
    for key in ("level", "severity"):
        word = str(meta.get(key, "")).lower()
        if word in LEVELS:
            return word
    score = meta.get("score")
    if isinstance(score, int) and not isinstance(score, bool):
        return "high" if score >= 75 else "medium" if score >= 60 else "low"
    return "high"


class YaraDetector:
    """Scans the file of every ``suricata.file_stored`` event.

    roots  folders below which files may be scanned; an event from outside cannot make us read other files. None = anywhere.
    """

    def __init__(
        self,
        scanner: YaraScanner,
        roots: Sequence[Path] | None = None,
        *,
        timeout: int = DEFAULT_TIMEOUT,
        max_size: int = DEFAULT_MAX_SIZE,
    ) -> None:
        self.scanner = scanner
        self.counters = {"scanned": 0, "hits": 0, "not_scanned": 0}
        self.last_error = ""
        self._roots = None if roots is None else [root.resolve() for root in roots]
        self._timeout = timeout
        self._max_size = max_size
        self._known: OrderedDict[tuple[str, str], list[YaraHit]] = OrderedDict()

    def process(self, events: Sequence[Event]) -> list[Detection]:
        """Detections in order of events. A file that cannot be scanned is counted and its event tagged ``yara-not-scanned``."""
        found: list[Detection] = []
        for event in events:
            if event.get("event.dataset") == "suricata.file_stored":
                found += [detection(hit, event) for hit in self._scan(event)]
        return found

    def state(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        """Nothing to restore."""

    def _scan(self, event: Event) -> list[YaraHit]:
        name = str(event.get("file.name", ""))
        key = (str(event.get("file.hash.sha256", "")), name)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        try:
            path = self._allowed(str(event.get("file.path", "")))
            hits = self.scanner.scan_file(path, name, timeout=self._timeout, max_size=self._max_size)
        except YaraScanError as error:
            self.counters["not_scanned"] += 1
            self.last_error = str(error)
            event["tags"] = [*_as_list(event.get("tags")), "yara-not-scanned"]
            event["error.message"] = str(error)
            return []
        self.counters["scanned"] += 1
        self.counters["hits"] += len(hits)
        self._known[key] = hits
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return hits

    def _allowed(self, text: str) -> Path:
        path = Path(text)
        if self._roots is not None and not any(path.resolve().is_relative_to(root) for root in self._roots):
            raise YaraScanError(f"{text}: outside the folders that may be scanned")
        return path


def _as_list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []


def _tags(hit: YaraHit) -> list[str]:
    techniques = [
        f"attack.{technique.lower()}"
        for key, value in hit.meta.items()
        if "mitre" in key.lower() or "attack" in key.lower()
        for technique in _TECHNIQUE.findall(str(value))
    ]
    return list(dict.fromkeys([*techniques, *(tag.lower() for tag in hit.tags)]))


def _printable(content: bytes) -> str:
    return content[:_EXCERPT].decode("latin-1").encode("unicode_escape").decode("ascii")
