"""What Suricata says on its console, turned into messages for people."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINE = re.compile(r"^(Error|Warning|Notice|Info|Perf|Config|Debug): ?(.*)$")
_BAD_RULE = re.compile(r'^error parsing signature "(?P<rule>.*)" from file (?P<file>\S+) at line (?P<line>\d+)$', re.S)
_SID = re.compile(r"\bsid\s*:\s*(\d+)")
_REFUSAL = re.compile(r":\d+: sid (?:\d+|\?): ")
_NOISE = (
    "rule files specified, but no rules were loaded",
    # what follows from a capture that was refused; the first message says why
    "Failed to init pcap file",
    "pcap file reader thread failed to initialize",
    "failed to start in time",
    "failed to start: flags",
)
_PLAIN = {
    "failed to get first packet timestamp. pcap_next_ex(): -1": "damaged or cut off before its first packet; nothing was read",
    "failed to get first packet timestamp. pcap_next_ex(): -2": "the capture holds no packet",
}
_RELOAD = "Notice: rule reload starting"
DEAD = b"thread failed to initialize"
"""Said by a run that can no longer read anything; Suricata itself would wait another minute."""


def last_load(console: str) -> str:
    """What was said since rules were loaded last: at the start, or by the newest reload."""
    return console[max(0, console.rfind(_RELOAD)) :]


def problems(console: str, names: Mapping[str, str] | None = None) -> list[str]:
    """Warnings and errors, one line each; a rule that was refused reads ``FILE:LINE: sid N: REASON``.

    names  maps the paths Suricata saw (copies) to those the user knows
    """
    names = names or {}
    found: list[str] = []
    reason = ""
    for line in console.splitlines():
        match = _LINE.match(line)
        if match is None or match.group(1) not in ("Error", "Warning") or any(text in line for text in _NOISE):
            continue
        message = _PLAIN.get(match.group(2), match.group(2))
        rule = _BAD_RULE.match(message)
        if rule is None:
            if reason:
                found.append(reason)
            reason = message if match.group(1) == "Error" else ""
            if not reason:
                found.append(message)
            continue
        sid = _SID.search(rule["rule"])
        where = f"{names.get(rule['file'], rule['file'])}:{rule['line']}"
        found.append(f"{where}: sid {sid.group(1) if sid else '?'}: {reason or 'rule refused'}")
        reason = ""
    if reason:
        found.append(reason)
    return [_renamed(text, names) for text in found]


def is_refusal(line: str) -> bool:
    """Whether a line of :func:`problems` speaks of a refused rule."""
    return _REFUSAL.search(line) is not None


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for copy, original in names.items():
        text = text.replace(copy, original)
    return text
