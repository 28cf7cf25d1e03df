"""The text that is signed. Names stand as JSON, so that no name can make a line of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

from crypto.sm3 import sm3
from kernel.errors import LiandunError

FIRST = "liandun compliance evidence v1"
MANIFEST, SIGNATURE, SIGNER = "manifest.txt", "manifest.sig", "signer.pem"
_FILE = re.compile(r'([0-9a-f]{64}) ([0-9]{1,15}) (".{1,900}")')


class PackageError(LiandunError):
    """The package is not what was issued; ``files`` names what is broken."""

    def __init__(self, message: str, hint: str = "", files: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.files = files


class Manifest(msgspec.Struct, frozen=True):
    """``files``: name → (SM3 hexadecimal, octets)."""

    system: str
    issued_at: str
    files: Mapping[str, tuple[str, int]]


def write(system: str, issued_at: str, files: Mapping[str, bytes]) -> str:
    """In the order of the names."""
    lines = [FIRST, f"system {json.dumps(system)}", f"issued_at {issued_at}"]
    lines += [f"{sm3(files[name]).hex()} {len(files[name])} {json.dumps(name)}" for name in sorted(files)]
    return "\n".join(lines) + "\n"


def read(text: str) -> Manifest:
    """Raises PackageError."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != FIRST or not lines[2].startswith("issued_at ") or lines[-1]:
        raise PackageError(f"{MANIFEST}: this is no manifest of the form {FIRST!r}", files=(MANIFEST,))
    files: dict[str, tuple[str, int]] = {}
    try:
        system = str(json.loads(lines[1].removeprefix("system ")))
        for line in lines[3:-1]:
            found = _FILE.fullmatch(line)
            name = json.loads(found[3]) if found else None
            if found is None or not isinstance(name, str) or name in files:
                raise PackageError(f"{MANIFEST}: the line {line[:60]!r} cannot be read", files=(MANIFEST,))
            files[name] = (found[1], int(found[2]))
    except ValueError as error:
        raise PackageError(f"{MANIFEST}: it cannot be read", files=(MANIFEST,)) from error
    return Manifest(system, lines[2].removeprefix("issued_at "), files)
