"""Secrets in the configuration of a network device are taken out before anybody reads it; what stays says how they were stored.

``***`` stands for a secret, ``***default***`` for a community that everybody knows.
"""

from __future__ import annotations

import re

_STORED = re.compile(
    r"\b(irreversible-cipher|cipher|hash|simple|ciphertext|plaintext|encrypted|(?:password|secret|key|key-string) [0-9]) (\S+)"
)
_OTHER_WORDS = (
    "irreversible-cipher|cipher|hash|simple|ciphertext|plaintext|encrypted|policy|expire|alert-before-expire|history|complexity"
    "|min-length|encryption|chain|authentication|accounting|authorization|generate|modulus|address|pair"
)
_PLAIN = re.compile(
    r"(?<![-\w])(password|secret|key-string|pre-shared-key|shared-key|key)(\s+address \S+)? "
    rf"(?!(?:(?:{_OTHER_WORDS})\b|\*\*\*|[0-9]+ \*\*\*|[0-9]{{1,3}}$))(\S+)"
)
_COMMUNITY = re.compile(
    r"\b(snmp-server community|snmp-agent community (?:read|write)(?: (?:simple|cipher))?) (?!simple\b|cipher\b|disable\b)(\S+)"
)
_RECEIVER = re.compile(
    r"\b(snmp-server host .*?(?:version (?:1|2c)|traps|informs) |params securityname(?: cipher)? )(?!version\b)(\S+)"
)
_DEFAULT = frozenset({"public", "private", "cisco", "huawei", "h3c", "admin", "manager", "community", "snmp", "read", "write"})
_LONG = re.compile(r"(\$[0-9a-z]{1,2}\$|%\^%#|%@%@|%\$%\$)\S+")


def without_secrets(text: str) -> str:
    """The same lines."""
    return "\n".join(_line(line) for line in text.splitlines())


def _line(line: str) -> str:
    line = _COMMUNITY.sub(_community, line)
    line = _RECEIVER.sub(r"\1***", line)
    line = _STORED.sub(lambda match: match[0] if match[2].startswith("***") else f"{match[1]} ***", line)
    line = _PLAIN.sub(lambda match: f"{match[1]}{match[2] or ''} ***", line)
    return _LONG.sub("***", line)


def _community(match: re.Match[str]) -> str:
    return f"{match[1]} ***default***" if match[2].strip('"').lower() in _DEFAULT else f"{match[1]} ***"
