"""Values of the registry of Windows: exported files (``reg export``), and the few values of them that probes ask for.

Only those are kept: an export may hold passwords (AutoAdminLogon) that nobody here has asked for. What is not there counts as
not set only where its key was exported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats import secedit
from compliance.probes.formats.keyed import number

HEADS = ("Windows Registry Editor Version 5.00", "REGEDIT4")
_CONTROL = "SYSTEM\\CurrentControlSet"
LSA = f"{_CONTROL}\\Control\\Lsa"
SERVER = f"{_CONTROL}\\Services\\LanManServer\\Parameters"
MEMORY = f"{_CONTROL}\\Control\\Session Manager\\Memory Management"
SYSTEM = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
TERMINAL = f"{_CONTROL}\\Control\\Terminal Server"
STATION = f"{TERMINAL}\\WinStations\\RDP-Tcp"
TERMINAL_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services"
TIME = f"{_CONTROL}\\Services\\W32Time\\Parameters"
FORWARDING = "SOFTWARE\\Policies\\Microsoft\\Windows\\EventLog\\EventForwarding\\SubscriptionManager"
WANTED: dict[str, tuple[str, ...]] = {
    LSA: ("LimitBlankPasswordUse", "LmCompatibilityLevel", "NoLMHash", "RestrictAnonymous", "RestrictAnonymousSAM"),
    SERVER: ("AutoShareServer", "AutoShareWks", "SMB1", "RequireSecuritySignature"),
    MEMORY: ("ClearPageFileAtShutdown",),
    SYSTEM: ("DontDisplayLastUserName", "InactivityTimeoutSecs", "EnableLUA"),
    TERMINAL: ("fDenyTSConnections",),
    STATION: ("UserAuthentication", "SecurityLayer", "MinEncryptionLevel", "MaxIdleTime", "PortNumber"),
    TERMINAL_POLICY: ("UserAuthentication", "SecurityLayer", "MinEncryptionLevel", "MaxIdleTime", "fDenyTSConnections"),
    TIME: ("Type", "NtpServer"),
    FORWARDING: ("1", "2", "3", "4"),
}
"""Names of values by key below HKEY_LOCAL_MACHINE."""
_NAMES = {(key.lower(), name.lower()): (key, name) for key, names in WANTED.items() for name in names}
_ABOVE = frozenset("\\".join(key.lower().split("\\")[:depth]) for key in WANTED for depth in range(1, key.count("\\") + 2))
"""Wanted keys and those above them: an export of one of these has what is below it."""
_KEY = re.compile(r"\[(?:HKEY_LOCAL_MACHINE|HKLM)\\([^\]\n]{1,300})\]\Z", re.IGNORECASE)
_SET = re.compile(r'"((?:[^"\\]|\\.){1,200})"=(.*)\Z', re.DOTALL)
_NUMBERED = re.compile(r"(?i)SYSTEM\\ControlSet001\\")


class Value(msgspec.Struct, frozen=True):
    """``text``: a number in decimal, or a string."""

    key: str
    name: str
    text: str


class Registry(msgspec.Struct, frozen=True):
    """Values, and the keys that were looked at with all that is below them."""

    covered: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()

    def joined(self, others: Iterable[Registry]) -> Registry:
        """With what others have."""
        found = [self, *others]
        return Registry(tuple(key for one in found for key in one.covered), tuple(value for one in found for value in one.values))


def exported(text: str) -> Registry:
    """What an exported file says. Lines that are none of it are left out."""
    covered: list[str] = []
    values: list[Value] = []
    key = ""
    for line in _whole_lines(text):
        head = _KEY.match(line)
        if line.startswith("["):
            key = _NUMBERED.sub(lambda _: f"{_CONTROL}\\", head[1]) if head else ""
            if key.lower() in _ABOVE and key not in covered:
                covered.append(key)
            continue
        found = _SET.match(line) if key else None
        wanted = _NAMES.get((key.lower(), found[1].lower())) if found else None
        plain = _plain(found[2]) if found and wanted else None
        if wanted and plain is not None:
            values.append(Value(*wanted, plain))
    return Registry(tuple(covered), tuple(values))


def value(facts: Facts, key: str, name: str) -> str | None:
    """A value of a wanted key: of the registry, else of the security options; None: it is not set. Raises Unreadable."""
    assert name in WANTED[key]
    known = facts.rows("registry", Registry) if facts.is_read("registry") else Registry()
    found = [one.text for one in known.values if (one.key.lower(), one.name.lower()) == (key.lower(), name.lower())]
    if found:
        return found[-1]
    said = secedit.option(secedit.sections(facts.text("policy")), f"{key}\\{name}") if facts.is_read("policy") else None
    if said is None and not any(_below(key, one) for one in known.covered):
        raise Unreadable(f"HKLM\\{key} was not exported", f"未导出 HKLM\\{key}")
    return said


def set_number(facts: Facts, key: str, name: str, otherwise: int) -> int:
    """A number; ``otherwise``: what holds where it is not set. Raises Unreadable for what is none."""
    text = value(facts, key, name)
    if text is None:
        return otherwise
    found = number(text)
    if found is None:
        raise Unreadable(f"{name} is no number: {text[:40]}", f"{name} 不是数字：{text[:40]}")
    return found


def _below(key: str, root: str) -> bool:
    return key.lower() == root.lower() or key.lower().startswith(root.lower().rstrip("\\") + "\\")


def _whole_lines(text: str) -> Iterator[str]:
    """Lines; those that end in a backslash go on with the next."""
    held: list[str] = []
    for line in text.splitlines():
        plain = line.strip()
        if plain.endswith("\\") and not plain.endswith('"'):
            held.append(plain[:-1])
            continue
        yield "".join((*held, plain))
        held = []
    if held:
        yield "".join(held)


def _plain(text: str) -> str | None:
    """None for a kind that no wanted value has."""
    lower = text.strip().lower()
    if lower.startswith("dword:"):
        digits = lower[6:14]
        return str(int(digits, 16)) if re.fullmatch(r"[0-9a-f]{1,8}", digits) else None
    if lower.startswith('"') and lower.endswith('"') and len(lower) > 1:
        return re.sub(r"\\(.)", r"\1", text.strip()[1:-1])
    if re.match(r"hex\((?:1|2|7)\):", lower):
        octets = bytes(int(one, 16) for one in re.findall(r"(?<![0-9a-f])[0-9a-f]{2}(?![0-9a-f])", lower.partition(":")[2]))
        return octets.decode("utf-16-le", "replace").rstrip("\0").replace("\0", " ")
    return None
