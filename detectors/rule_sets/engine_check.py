"""What the installed Suricata itself says to a rule file (``suricata -T``): the last word on whether a rule can run."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import msgspec

from kernel.errors import RuleError

_SECONDS = 900  # 17,000 rules take half a minute on an idle machine
_SIGNATURE = re.compile(r'error parsing signature "(?P<rule>.*)" from file .* at line (?P<line>\d+)')
_SID = re.compile(r"\bsid\s*:\s*(\d+)")


class Refused(msgspec.Struct, frozen=True):
    """A rule that the engine does not take: line of the file, sid ("" where it has none), reason in the engine's words."""

    line: int
    sid: str
    reason: str


def refused_rules(content: bytes, config: str) -> list[Refused] | None:
    """Rules of ``content`` that Suricata refuses under the configuration text ``config``; None where no Suricata is installed.

    Raises RuleError where Suricata fails for another reason than a rule.
    """
    binary = shutil.which("suricata")
    if binary is None:
        return None
    with tempfile.TemporaryDirectory(prefix="liandun-suricata-check-") as scratch:
        folder = Path(scratch)
        (folder / "suricata.yaml").write_text(config, "utf-8")
        (folder / "all.rules").write_bytes(content)
        command = [binary, "-T", "-c", str(folder / "suricata.yaml"), "-S", str(folder / "all.rules"), "-l", scratch]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RuleError(f"suricata -T could not be run: {error}") from error
    found = _refused(done.stdout + done.stderr)
    if done.returncode != 0 and not found:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise RuleError(f"suricata -T failed: {lines[-1] if lines else f'exit code {done.returncode}'}")
    return found


def without(content: bytes, refused: list[Refused]) -> bytes:
    """The file with the refused rules commented out, line for line."""
    lines = content.splitlines(keepends=True)
    for one in refused:
        if 0 < one.line <= len(lines) and not lines[one.line - 1].startswith(b"#"):
            lines[one.line - 1] = b"# " + lines[one.line - 1]
    return b"".join(lines)


def _refused(told: str) -> list[Refused]:
    found: list[Refused] = []
    reasons: list[str] = []
    for line in told.splitlines():
        _, mark, message = line.partition("Error: ")
        if not mark:
            continue
        match = _SIGNATURE.search(message)
        if match is None:
            reasons.append(message.strip())
            continue
        sid = _SID.search(match["rule"])
        reason = "; ".join(reasons) or "no reason given"
        found.append(Refused(int(match["line"]), sid[1] if sid else "", reason[:500]))
        reasons = []
    return found
