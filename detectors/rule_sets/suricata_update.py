"""Suricata rules out of one or several sources → one merged file, by OISF's own suricata-update.

It parses the rules, keeps the highest revision of a sid that comes twice, applies the operator's decisions (``enable.conf``,
``disable.conf``, ``modify.conf``, ``drop.conf``: suricata-update manual, "Example Configuration Files") and re-enables what
flowbits need. We fetch and unpack ourselves, with our guards, and hand it local files only.

Left to itself it would read /etc/suricata, add the distribution's event rules, and download ET Open where no URL is given
(suricata-update 1.3.3, ``load_sources``). So it always gets files of ours for each of these: an empty rule file as its only URL, an
empty file for each decision that nobody made, and folders that do not exist. It is a program of its own (GPL-2.0) and runs as one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec
import yaml

from detectors.rule_sets.archive import RuleFile
from kernel.errors import RuleError

DECISIONS: tuple[str, ...] = ("enable.conf", "disable.conf", "modify.conf", "drop.conf")
"""Files with which an operator changes a set; they stand in the set's folder and outlive its replacement."""

MERGED = "suricata.rules"
ENGINE_VERSION = "7.0.10"
"""Told to suricata-update, which asks for it only to choose between versions of remote sets."""

_START = "from suricata.update.main import main; main()"
_SECONDS = 600
_REMARK = re.compile(r"<(?:Warning|Error)>\s*(?:--|-)\s*(.*)$")
_EXPECTED = ("No distribution rule directory", "Distribution rule directory not found", "No suricata application binary")


class Merged(msgspec.Struct, frozen=True):
    """The merged file; ``rules`` in it, ``enabled`` of them, and what suricata-update remarked."""

    content: bytes
    rules: int
    enabled: int
    remarks: tuple[str, ...]


def merge(files: Sequence[RuleFile], decisions: Mapping[str, bytes]) -> Merged:
    """Run suricata-update over the ``.rules`` files. ``decisions``: file name of :data:`DECISIONS` → content.

    Raises RuleError where a file is no UTF-8 (suricata-update ends with a traceback then), or it cannot be run, fails or leaves no
    rule.
    """
    for file in files:
        _must_be_utf8(file)
    with tempfile.TemporaryDirectory(prefix="liandun-suricata-update-") as scratch:
        folder = Path(scratch)
        command = [sys.executable, "-c", _START, *_options(folder, files, decisions)]
        environment = {name: value for name, value in os.environ.items() if name != "DATA_DIRECTORY"}
        try:
            done = subprocess.run(
                command, capture_output=True, errors="replace", timeout=_SECONDS, check=False, env=environment, cwd=folder
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuleError(f"suricata-update could not be run: {error}") from error
        told = done.stdout + done.stderr
        merged = folder / "merged" / MERGED
        if done.returncode != 0 or not merged.is_file():
            lines = told.strip().splitlines()
            raise RuleError(f"suricata-update failed (exit code {done.returncode}): {lines[-1] if lines else 'no output'}")
        content = merged.read_bytes()
    rules = sum(line.lstrip(b"# ").startswith(_ACTIONS) and b"sid:" in line for line in content.splitlines())
    enabled = sum(line.startswith(_ACTIONS) for line in content.splitlines())
    if not rules:
        raise RuleError("suricata-update found no rule in the files", "each rule is one line: action, header and (options)")
    return Merged(content, rules, enabled, _remarks(told))


_ACTIONS = (b"alert ", b"drop ", b"pass ", b"reject ", b"rejectsrc ", b"rejectdst ", b"rejectboth ")


def _must_be_utf8(file: RuleFile) -> None:
    try:
        file.content.decode()
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise RuleError(f"{file.name}:{line}: not UTF-8", "convert the file: iconv -f GBK -t UTF-8, or what it is in") from error


def _options(folder: Path, files: Sequence[RuleFile], decisions: Mapping[str, bytes]) -> list[str]:
    nothing = folder / "nothing.rules"
    nothing.write_bytes(b"")
    settings = {
        "sources": [],
        "dist-rule-directory": str(folder / "no-distribution-rules"),
        "suricata-conf": str(folder / "no-suricata.yaml"),
    }
    for name in DECISIONS:
        (folder / name).write_bytes(decisions.get(name, b""))
        settings[name.replace(".conf", "-conf")] = str(folder / name)
    (folder / "update.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    options = ["-c", str(folder / "update.yaml"), "-D", str(folder / "state"), "-o", str(folder / "merged")]
    options += ["--suricata-version", ENGINE_VERSION, "--no-test", "--no-reload", "--force", "--url", nothing.as_uri()]
    for number, file in enumerate(files):
        # the base name stays, because "group:" in a decision means it; the rest must be no pattern for glob
        path = folder / "sources" / str(number) / re.sub(r"[^\w.+-]", "_", PurePosixPath(file.name).name)
        path.parent.mkdir(parents=True)
        path.write_bytes(file.content)
        options += ["--local", str(path)]
    return options


def _remarks(told: str) -> tuple[str, ...]:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    found = (match[1] for line in plain.splitlines() if (match := _REMARK.search(line)))
    return tuple(remark for remark in found if not remark.startswith(_EXPECTED))
